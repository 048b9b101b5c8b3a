import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gatedPixelCNN, imageGPT, pixelCNN, pixelCNNPlusPlus, pixelSNAIL } from 'pixelcnn-layers';
import { loadWeights, readSafetensors } from 'pixelcnn-layers/weights';
import { paletteOfText } from '../pictures/palette.mjs';
import { carryOrientations, carryPalette } from './image-model.mjs';

const FACTORIES = { pixelCNN, gatedPixelCNN, pixelCNNPlusPlus, pixelSNAIL, imageGPT };
const NETWORK = 'network.json';
const AVERAGE = 'average.safetensors';
const BEST = 'best.safetensors'; // on validation images, if some were held out

/** Whether a directory is a run of research/pytorch/train.py. */
export const isPyTorchRun = (directory) => existsSync(join(directory, NETWORK));

/**
 * Loads the network of a run of research/pytorch/train.py, with the average of its weights: the best by validation, or the last.
 *
 * @param {string} directory
 * @returns {Promise<import('pixelcnn-layers').AutoregressiveModel>}
 * @throws Error naming the file: missing, damaged, or of another network
 */
export async function loadPyTorchRun(directory) {
  const model = await using(join(directory, NETWORK), (bytes) => {
    const { model: name, args, palette, orientations } = JSON.parse(bytes.toString('utf8')) ?? {};
    if (!Object.hasOwn(FACTORIES, name)) {
      throw new Error(`model: wanted ${Object.keys(FACTORIES).join(', ')}, got ${JSON.stringify(name)}`);
    }
    const made = FACTORIES[name](args);
    if (palette !== undefined) carryPalette(made, paletteOfText('palette', palette));
    if (orientations !== undefined) carryOrientations(made, orientations);
    return made;
  });
  const weights = existsSync(join(directory, BEST)) ? BEST : AVERAGE;
  await using(join(directory, weights), (bytes) =>
    loadWeights(model, readSafetensors(bytes), { from: 'pytorch' }),
  );
  return model;
}

/** Makes something of the bytes of a file. Errors name the file. */
async function using(path, make) {
  try {
    return make(await readFile(path));
  } catch (error) {
    const problem =
      error.code === 'ENOENT' ? 'does not exist; train.py writes it when it evaluates' : error.message;
    throw new Error(`'${path}': ${problem}`, { cause: error });
  }
}
