import { gatedPixelCNN, imageGPT, pixelCNN, pixelCNNPlusPlus, pixelSNAIL } from 'pixelcnn-layers';
import { oneOf, pathTo, stop } from '../flags/flags.mjs';
import { loadImageModel } from '../models/saved-model.mjs';

const FACTORIES = { pixelCNN, gatedPixelCNN, pixelCNNPlusPlus, pixelSNAIL, imageGPT };
export const FACTORY_NAMES = Object.keys(FACTORIES);

/**
 * Checks the flags `--model`, or `--factory` and `--args`.
 *
 * @param {{ model?: string, factory?: string, args?: string }} flags
 * @returns {null | { directory: string } | { factory: string, args: object }} null without any
 */
export function readNetworkFlags({ model, factory, args }) {
  if (model !== undefined && factory !== undefined) stop('--factory: --model already determines the network');
  if (args !== undefined && factory === undefined) stop('--args: comes with --factory');
  if (model !== undefined) return { directory: pathTo('the directory of a model', '--model', model) };
  if (factory === undefined) return null;
  return { factory: oneOf('--factory', factory, FACTORY_NAMES), args: parseArgs(args) };
}

function parseArgs(json) {
  if (json === undefined)
    stop('--args: wanted the arguments of the factory, as {"imageShape":[8,8,1],"levels":17}');
  try {
    return JSON.parse(json);
  } catch (error) {
    return stop(`--args: wanted JSON: ${error.message}`);
  }
}

/**
 * The model that the flags name: a saved one, or a new one.
 *
 * @param {{ directory: string } | { factory: string, args: object }} network
 * @returns {Promise<import('@tensorflow/tfjs-layers').LayersModel>}
 */
export async function makeNetwork({ directory, factory, args }) {
  return directory === undefined ? FACTORIES[factory](args) : (await loadImageModel(directory)).model;
}
