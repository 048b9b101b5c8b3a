import {
  add,
  keep,
  pad,
  reshape,
  slice,
  type Tensor2D,
  type Tensor4D,
  tensor2d,
  tidy,
  zeros,
} from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type ConditionValues, conditionTensor } from '../image-model/conditions';
import { forward } from '../image-model/forward';
import { type Evaluator, paddedLevels } from './types';

/**
 * Whole forward passes, one a value: works with any model, and is the reference for every other strategy. The images stay on
 * the device; the logits of one place are read back each step.
 */
export function fullPasses(
  model: LayersModel,
  numImages: number,
  [height, width, channels]: readonly [number, number, number],
  levels: number,
  given: ConditionValues | null,
): Evaluator {
  const condition = given && keep(conditionTensor(given, 0, numImages)); // [N,...]
  const values = height * width * channels;
  const indexOf = (row: number, column: number, channel: number) =>
    (row * width + column) * channels + channel;
  let images: Tensor2D = keep(zeros([numImages, values])); // normalized, zero where not yet drawn
  return {
    async logits(row, column, channel) {
      const here = tidy(() => {
        const drawn = reshape(images, [numImages, height, width, channels]); // [N,H*W*C] -> [N,H,W,C]
        const all = forward(model, drawn as Tensor4D, condition); // [N,H,W,C,L]
        const one = slice(
          reshape(all, [numImages, values, levels]), // [N,H,W,C,L] -> [N,H*W*C,L]
          [0, indexOf(row, column, channel), 0],
          [-1, 1, -1],
        ); // [N,1,L]
        return pad(one, [
          [0, 0],
          [0, 0],
          [0, paddedLevels(levels) - levels],
        ]); // [N,1,L] -> [N,1,padded L]
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
        const index = indexOf(row, column, channel);
        const inputs = Float32Array.from(drawn, (level) => level / (levels - 1)); // as normalize
        const drawnInputs = tensor2d(inputs, [numImages, 1]);
        return keep(
          add(
            before,
            pad(drawnInputs, [
              [0, 0],
              [index, values - index - 1],
            ]),
          ),
        ); // [N,1] -> [N,H*W*C]
      });
      before.dispose();
    },
    dispose() {
      images.dispose();
      condition?.dispose();
    },
  };
}
