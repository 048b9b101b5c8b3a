import { logPartition, sample, symmetric } from 'pixelcnn-layers/runtime';
import { energyOf } from '../../kit/models/ising.mjs';
import { shippedModel } from './models.mjs';

/** Images that an estimate takes. */
const DRAWS = 1024;

/**
 * Draws images of spins, then estimates log Z.
 *
 * @param {import('./protocol.mjs').MagnetJob} job
 * @param {import('./protocol.mjs').Context} context
 */
export async function drawMagnets({ temperature, numImages, seed }, { signal, report }) {
  const { symmetry: _, ...network } = await shippedModel(`magnet-${temperature}`);
  // Without its other symmetries: all images are drawn from the top left, and log p takes 2 passes, not 16.
  const model = symmetric(network, ['flipLevels']);
  const { data: levels } = await sample(model, { numImages, seed, signal });
  report({ levels });
  const energy = energyOf(model.imageShape[0]);
  const args = { beta: 1 / temperature, numImages: DRAWS, seed, signal };
  const { logZ, standardError } = await logPartition(model, energy, args);
  return { logZ, standardError };
}
