import { sample, symmetric } from 'pixelcnn-layers/runtime';
import { shippedModel } from './models.mjs';

/**
 * Draws images of spins.
 *
 * @param {import('./protocol.mjs').MagnetJob} job
 * @param {import('./protocol.mjs').Context} context
 */
export async function drawMagnets({ temperature, numImages, seed }, { signal }) {
  const { symmetry: _, ...network } = await shippedModel(`magnet-${temperature}`);
  // Without its other symmetries: all images are drawn from the top left.
  const model = symmetric(network, ['flipLevels']);
  const { data: levels } = await sample(model, { numImages, seed, signal });
  return { levels };
}
