import { gatedPixelCNN, imageGPT, pixelCNN, pixelCNNPlusPlus, pixelSNAIL } from 'pixelcnn-layers';
import { InvalidArgumentError, oneOf, stop, text } from '../flags.mjs';
import { loadImageModel } from '../models/saved-model.mjs';

const FACTORIES = { pixelCNN, gatedPixelCNN, pixelCNNPlusPlus, pixelSNAIL, imageGPT };
const FACTORY_NAMES = Object.keys(FACTORIES);

/**
 * Adds the flags `--model`, `--factory` and `--args` to a command line.
 *
 * @param {import('commander').Command} command
 * @param {string} [more] help of --model
 */
export function withNetworkFlags(command, more = '') {
  return command
    .option(
      '--model <dir>',
      `the network: that of a saved model, or of a run of train.mjs or research/pytorch/train.py${more}`,
      text('the directory of a model'),
    )
    .option('--factory <name>', 'the network: a new one', oneOf(FACTORY_NAMES))
    .option('--args <json>', 'its arguments, as {"imageShape":[8,8,1],"levels":17}', json);
}

function json(value) {
  try {
    return JSON.parse(value);
  } catch (error) {
    throw new InvalidArgumentError(`wanted JSON: ${error.message}`);
  }
}

/**
 * The network that the flags name.
 *
 * @param {{ model?: string, factory?: string, args?: object }} flags
 * @returns {null | { directory: string } | { factory: string, args: object }} null without any
 */
export function givenNetwork({ model, factory, args }) {
  if (model !== undefined && factory !== undefined) stop('--factory: --model already determines the network');
  if (args !== undefined && factory === undefined) stop('--args: comes with --factory');
  if (factory !== undefined && args === undefined)
    stop('--args: wanted the arguments of the factory, as {"imageShape":[8,8,1],"levels":17}');
  if (model !== undefined) return { directory: model };
  return factory === undefined ? null : { factory, args };
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
