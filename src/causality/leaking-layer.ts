import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, model as makeModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { forward } from '../inference/batches';
import { LevelEmbedding } from '../layers/encodings';
import { PixelNormalization } from '../layers/pixel-normalization';
import { PlaceEmbedding } from '../layers/raster-order';
import type { Shape } from '../layers/types';
import { changeEach, type Trials } from './perturbation';

/** How far features see: earlier values, also their own, like the image, or also later ones. */
const [BEFORE, ITSELF, LATER] = [0, 1, 2] as const;
type Horizon = typeof BEFORE | typeof ITSELF | typeof LATER;

/** Layers with weights that keep values apart, so they leak nothing that was not there before them. */
const SEPARATE = [LevelEmbedding, PixelNormalization, PlaceEmbedding];

/**
 * The layer of a leaking model where the leak begins; null if no single layer can be identified.
 *
 * Follows the leak back from the outputs. The culprit is a layer that sees later values although none of its
 * inputs do. If the path ends at the image, each value sees itself, so the first layer on the path with
 * weights, but for those that keep values apart, has the wrong mask type, or lacks a shift before it.
 *
 * @param inputs some of the leaking values
 */
export async function leakingLayer(
  model: LayersModel,
  inputs: readonly number[],
  trials: Trials,
): Promise<string | null> {
  const image = model.inputs[0] as SymbolicTensor;
  const horizons = new Map<SymbolicTensor, Horizon | null>([[image, ITSELF]]);
  const horizonOf = async (tensor: SymbolicTensor) => {
    if (!horizons.has(tensor)) horizons.set(tensor, await triedHorizon(model, tensor, inputs, trials));
    return horizons.get(tensor) ?? null;
  };

  let leaking = model.outputs[0] as SymbolicTensor;
  const isMade = madeFrom(image);
  const horizon = await horizonOf(leaking);
  if (horizon === null || horizon === BEFORE) return null;
  let masked: string | null = null;
  while (leaking !== image) {
    const layer = leaking.sourceLayer;
    const isSeparate = SEPARATE.some(({ className }) => className === layer.getClassName());
    if (layer.weights.length > 0 && !isSeparate) masked = layer.name;
    let next: SymbolicTensor | undefined;
    let isKnown = true;
    for (const tensor of inputsOf(leaking).filter(isMade)) {
      const seen = await horizonOf(tensor);
      if (seen === null) isKnown = false;
      else if (seen >= horizon) next ??= tensor;
    }
    if (next === undefined) return isKnown ? layer.name : null;
    leaking = next;
  }
  return masked;
}

const inputsOf = ({ sourceLayer, nodeIndex }: SymbolicTensor): SymbolicTensor[] =>
  sourceLayer.inboundNodes[nodeIndex]?.inputTensors ?? [];

/** Whether a tensor is the image, or computed from it. */
function madeFrom(image: SymbolicTensor): (tensor: SymbolicTensor) => boolean {
  const known = new Map([[image, true]]);
  const isMade = (tensor: SymbolicTensor): boolean => {
    if (!known.has(tensor)) {
      known.set(tensor, false); // an input of the model is its own input
      known.set(tensor, inputsOf(tensor).some(isMade));
    }
    return known.get(tensor) === true;
  };
  return isMade;
}

/**
 * How far features [N,H,W,F], or logits [N,H,W,C,L], see. In a map of every 2nd or 4th row and column, this counts from
 * the pixel that each place represents. Null for other tensors, and features that do not separate channels.
 */
async function triedHorizon(
  model: LayersModel,
  tensor: SymbolicTensor,
  inputs: readonly number[],
  trials: Trials,
): Promise<Horizon | null> {
  const [height, width, channels] = trials.imageShape;
  const upTo = makeModel({ inputs: model.inputs as SymbolicTensor[], outputs: tensor });
  const ofImage = [1, height, width, channels] as const;
  const shapes = upTo.inputs.map(({ shape }) =>
    shape.map((length, axis) => length ?? (ofImage[axis] as number)),
  );
  const [, rows, columns, features, ...rest] = upTo.computeOutputShape(shapes) as Shape;
  if (!rows || !columns || !features || rest.length > 1 || rest.includes(null)) return null;
  const [down, right] = [height / rows, width / columns]; // from place to place
  if (!Number.isInteger(down) || !Number.isInteger(right)) return null;
  const groups = features % channels === 0 ? channels : 1;

  const byGroup = (images: tf.Tensor4D, conditions: readonly tf.Tensor[]) => {
    const output = forward(upTo, images, conditions);
    return tf.reshape<tf.Rank.R3>(output, [images.shape[0], rows * columns * groups, -1]); // [N,rows,columns,F] -> [N, rows*columns*groups, F/groups]
  };
  let horizon = BEFORE as Horizon;
  let isMixed = false; // sees channels of its own pixel, but belongs to no channel
  await changeEach(byGroup, inputs, trials, (input, hasMoved) => {
    const [pixel, channel] = [Math.floor(input / channels), input % channels];
    for (let position = 0; position < rows * columns * groups; position++) {
      const [place, group] = [Math.floor(position / groups), position % groups];
      const own = Math.floor(place / columns) * down * width + (place % columns) * right; // the pixel that it represents
      if (own > pixel) break;
      if (!hasMoved(position)) continue;
      if (own < pixel) horizon = LATER;
      else if (groups !== channels) isMixed = true;
      else if (group < channel) horizon = LATER;
      else if (group === channel && horizon === BEFORE) horizon = ITSELF;
    }
  });
  return isMixed && horizon !== LATER ? null : horizon;
}
