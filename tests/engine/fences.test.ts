import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { gatedPixelCNN, pixelCNN } from 'pixelcnn-layers';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ConditionValues } from '../../src/core/conditions';
import { evaluatorFor } from '../../src/engine/evaluator';
import { Plan } from '../../src/engine/plan';
import { toPortable } from '../../src/tensors/trace';
import { useBackend } from '../support/backends';
import { expectStanding, FENCE_FLOATS, fencedHeap, raise } from '../support/fences';
import { kernelMakers } from '../support/machine';
import { noise, setNoise } from '../support/tensors';

/** Has every plan leave room for a fence behind all that is reserved, and puts them up in a heap made for it. */
function fencePlans(numImages: number) {
  const { reserve, reserveForImages } = Plan.prototype;
  let plan: Plan | undefined;
  const [shared, ofChunks]: [number[], number[]] = [[], []];
  vi.spyOn(Plan.prototype, 'reserve').mockImplementation(function (this: Plan, ...args) {
    plan = this;
    const operand = reserve.apply(this, args);
    shared.push(this.sharedFloats);
    this.sharedFloats += FENCE_FLOATS;
    return operand;
  });
  vi.spyOn(Plan.prototype, 'reserveForImages').mockImplementation(function (this: Plan, ...args) {
    plan = this;
    const operand = reserveForImages.apply(this, args);
    ofChunks.push(this.chunkFloats);
    this.chunkFloats += FENCE_FLOATS;
    return operand;
  });
  return () => {
    const { sharedFloats, chunkFloats, chunkImages } = plan as Plan;
    const chunks = Array.from({ length: Math.ceil(numImages / chunkImages) }, (_, k) => k);
    return [...shared, ...chunks.flatMap((k) => ofChunks.map((at) => sharedFloats + k * chunkFloats + at))];
  };
}

describe.each(kernelMakers)('memory of incremental sampling, with %s', (_, make) => {
  beforeAll(() => useBackend('cpu'));
  afterEach(() => vi.restoreAllMocks());

  const sizes = { levels: 5, hiddenDim: 3, outDim: 5, numBlocks: 2 };
  const imageShape: [number, number, number] = [5, 4, 2];
  const map: ConditionValues = { shape: [5, 4, 3], values: noise(40 * 5 * 4 * 3, 9) };
  it.each<[string, () => tfl.LayersModel, ConditionValues[]]>([
    ['pixelCNN', () => pixelCNN({ ...sizes, imageShape, kernelSize: [5, 3] }), []],
    ['gatedPixelCNN', () => gatedPixelCNN({ ...sizes, imageShape, kernelSize: [3, 5] }), []],
    ['gatedPixelCNN of maps', () => gatedPixelCNN({ ...sizes, imageShape, conditionMapSize: 3 }), [map]],
  ])('is written only where it was reserved: %s', async (_name, build, conditions) => {
    for (const numImages of [1, 3, 40]) {
      const model = build();
      setNoise(model, 1, 0.3);
      const fences = fencePlans(numImages);
      const heap = fencedHeap(make);
      let words: Int32Array = new Int32Array();
      const evaluator = evaluatorFor(
        await toPortable(model),
        { numImages, imageShape, conditions },
        (floats) => {
          const kernels = heap.make(floats);
          words = kernels.words;
          for (const at of fences()) raise(words, at);
          return kernels;
        },
      );
      const levels = noise(40 * numImages, 2).map((x) => Math.floor((x + 1) * 2.5));
      for (let row = 0, next = 0; row < 5; row++) {
        for (let column = 0; column < 4; column++) {
          for (let channel = 0; channel < 2; channel++, next += numImages) {
            const logits = evaluator.outputs(row, column, channel);
            for (let n = 0; n < numImages; n++) {
              expect(logits.subarray(8 * n, 8 * n + 5).every(Number.isFinite)).toBe(true); // padded to 8
            }
            evaluator.put(row, column, channel, Int32Array.from(levels.subarray(next, next + numImages)));
          }
        }
      }
      expect(fences().length).toBeGreaterThan(20);
      for (const at of fences()) expectStanding(words, at);
      heap.expectStanding();
      model.dispose();
      vi.restoreAllMocks();
    }
    expect(tf.memory().numTensors).toBe(0);
  });
});
