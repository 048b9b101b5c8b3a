import {
  add,
  dispose,
  gather,
  keep,
  pad,
  type Rank,
  reshape,
  slice,
  type Tensor,
  type Tensor2D,
  tensor1d,
  tensor2d,
  tidy,
  tile,
  zeros,
} from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ConditionValues } from '../core/conditions';
import { type ImageShape, indexOfPlace, normalizedLevel, valuesOf } from '../core/images';
import { isSoftmax, outputStride, type PixelDistribution } from '../distributions/pixel-distribution';
import { conditionTensors } from '../models/conditions';
import type { OutputSource } from '../sampling/drawing';
import { outputsOf } from './forward';

/** No padding before and after a dimension. */
const NOTHING: [number, number] = [0, 0];

/**
 * Whole forward passes, one for each value. Works with any model, and is the reference for every other strategy. The
 * images stay on the device; the outputs of one place are read back each step.
 *
 * @param given conditions of as many images, or of fewer, which are then repeated
 * @throws RangeError if there is not enough memory
 */
export function fullPasses(
  model: LayersModel,
  numImages: number,
  imageShape: ImageShape,
  distribution: PixelDistribution,
  given: readonly ConditionValues[],
  numConditions = numImages,
): OutputSource {
  const { levels, numParameters, imageChannels } = distribution;
  const values = valuesOf(imageShape);
  const pixels = values / imageChannels;
  void new Float32Array(numImages * pixels * numParameters); // [N,H,W,P] of a pass: throws if there is no room
  // What is read at a place: the logits of one channel for a softmax, otherwise all parameters of the pixel.
  const [places, size] = isSoftmax(distribution) ? [values, levels] : [pixels, numParameters];
  const repeat = (one: Tensor) => tile(one, [numImages / numConditions, ...new Array(one.rank - 1).fill(1)]); // [N',...] -> [N,...]
  const [blank, ...begun] = tidy(() => [
    zeros<Rank.R2>([numImages, values]),
    ...conditionTensors(given, 0, numConditions).map(repeat),
  ]) as [Tensor2D, ...Tensor[]];
  let images = keep(blank); // normalized, zero where not yet drawn
  let conditions = begun.map((condition) => keep(condition)); // [N,...] each
  let numActive = numImages;
  const firstOf = <T extends Tensor>(all: T): T => (numActive === numImages ? all : slice(all, 0, numActive)); // [N,...] -> [active,...]
  return {
    async outputs(...place) {
      const here = tidy(() => {
        const drawn = reshape<Rank.R4>(firstOf(images), [numActive, ...imageShape]); // [N,H*W*C] -> [N,H,W,C]
        const outputs = outputsOf(model, drawn, conditions.map(firstOf)); // [N,H,W,C,L] or [N,H,W,P]
        const all = reshape(outputs, [numActive, places, size]); // [N,H*W*C,L] or [N,H*W,P]
        const index = Math.floor((indexOfPlace(place, imageShape) * places) / values);
        const one = slice(all, [0, index, 0], [-1, 1, -1]); // [N,1,size]
        return pad(one, [NOTHING, NOTHING, [0, outputStride(distribution) - size]]); // [N,1,padded size]
      });
      try {
        return (await here.data()) as Float32Array;
      } finally {
        here.dispose();
      }
    },
    put(row, column, channel, drawn) {
      const before = images;
      images = tidy(() => {
        const inputs = new Float32Array(numImages); // for images that are not evaluated, anything
        for (let n = 0; n < numActive; n++) inputs[n] = normalizedLevel(drawn[n] as number, levels);
        const index = indexOfPlace([row, column, channel], imageShape);
        const here = tensor2d(inputs, [numImages, 1]);
        return keep(add(before, pad(here, [NOTHING, [index, values - index - 1]]))); // [N,1] -> [N,H*W*C]
      });
      before.dispose();
    },
    evaluateFirst(count) {
      numActive = count;
    },
    copy(from) {
      const before = [images, ...conditions];
      tidy(() => {
        const index = tensor1d(from, 'int32');
        images = keep(gather(images, index)); // [N,H*W*C]
        conditions = conditions.map((condition) => keep(gather(condition, index)));
      });
      dispose(before);
    },
    dispose() {
      images.dispose();
      dispose(conditions);
    },
  };
}
