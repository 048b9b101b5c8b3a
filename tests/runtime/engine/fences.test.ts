import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ConditionValues } from '../../../src/runtime/core/conditions';
import { evaluatorFor } from '../../../src/runtime/engine/evaluator';
import { Plan } from '../../../src/runtime/engine/plan';
import type { PortableModel } from '../../../src/runtime/program/program';
import { expectStanding, FENCE_FLOATS, fencedHeap, raise } from '../../support/kernels/fences';
import { kernelMakers } from '../../support/kernels/machine';
import { randomProgram, recipes } from '../../support/models/random-program';
import { forAll } from '../../support/runs';
import { noise } from '../../support/tensors';

/** Has every plan leave room for a fence behind all that is reserved, and puts them up in a heap made for it. */
function fencePlans(numImages: number) {
  let plan: Plan | undefined;
  const [shared, ofChunks]: [number[], number[]] = [[], []];
  const watch = (method: 'reserve' | 'reserveForImages', size: 'sharedFloats' | 'chunkFloats', starts: number[]) => {
    const reserve = Plan.prototype[method] as Plan['reserveForImages'];
    vi.spyOn(Plan.prototype, method).mockImplementation(function (this: Plan, ...args: number[]) {
      plan = this;
      const operand = reserve.apply(this, args as [number, number]);
      starts.push(this[size]);
      this[size] += FENCE_FLOATS;
      return operand;
    });
  };
  watch('reserve', 'sharedFloats', shared);
  watch('reserveForImages', 'chunkFloats', ofChunks);
  return () => {
    const { sharedFloats, chunkFloats, chunkImages } = plan as Plan;
    const chunks = Array.from({ length: Math.ceil(numImages / chunkImages) }, (_, k) => k);
    return [...shared, ...chunks.flatMap((k) => ofChunks.map((at) => sharedFloats + k * chunkFloats + at))];
  };
}

describe.each(kernelMakers)('memory of incremental sampling, with %s', (_, make) => {
  afterEach(() => vi.restoreAllMocks());

  it('is written only where it was reserved, by programs of all operations', () =>
    forAll([recipes, fc.constantFrom(1, 2, 3, 33)], { numRuns: 20, seed: 1 }, (recipe, numImages) => {
      const model = randomProgram(recipe);
      const [height, width] = model.imageShape as [number, number, number];
      const map = { shape: [height, width, 1], values: noise(numImages * height * width, 2) };
      const conditions = [{ shape: [2], values: noise(2 * numImages, 1) }, map];
      expect(fencesOf(model, numImages, conditions)).toBeGreaterThan(3);
    }));

  /** Puts fences behind all that is reserved, draws, and looks whether they stand; gives how many there are. */
  function fencesOf(model: PortableModel, numImages: number, conditions: readonly ConditionValues[]): number {
    const imageShape = model.imageShape as [number, number, number];
    const [height, width, channels] = imageShape;
    const fences = fencePlans(numImages);
    const heap = fencedHeap(make);
    let words: Int32Array = new Int32Array();
    const evaluator = evaluatorFor(model, { numImages, imageShape, conditions }, (floats) => {
      const kernels = heap.make(floats);
      words = kernels.words;
      for (const at of fences()) raise(words, at);
      return kernels;
    });
    const next = randomLevels(model.levels);
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++)
        for (let channel = 0; channel < channels; channel++) {
          const logits = evaluator.outputs(row, column, channel);
          const stride = logits.length / numImages; // padded
          for (let n = 0; n < numImages; n++)
            expect(logits.subarray(stride * n, stride * n + model.levels).every(Number.isFinite)).toBe(true);
          evaluator.put(row, column, channel, Array.from({ length: numImages }, next));
        }
    for (const at of fences()) expectStanding(words, at);
    heap.expectStanding();
    vi.restoreAllMocks();
    return fences().length;
  }
});

/** Levels, the same each time. */
function randomLevels(levels: number): () => number {
  const uniforms = noise(4000, 2);
  let next = 0;
  return () => Math.floor((((uniforms[next++ % 4000] as number) + 1) / 2) * levels);
}
