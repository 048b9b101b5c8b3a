import type { ConditionData, NumericArray, SampleOptions } from 'pixelcnn-layers/runtime';
import { describe, expect, it } from 'vitest';
import { readArguments } from '../../../src/runtime/core/arguments';
import type { ModelShape } from '../../../src/runtime/core/model-shape';
import { TO_DRAW } from '../../../src/runtime/distributions/levels';
import { planJob, sampleArguments } from '../../../src/runtime/sampling/options';
import { evaluatedRows } from '../../../src/runtime/sampling/run-job';

const shape: ModelShape = { imageShape: [2, 2, 1], levels: 3, conditions: [] };

/** The job that options describe. */
const planned = (shape: ModelShape, options: SampleOptions) =>
  planJob(shape, readArguments('sample', options, sampleArguments<NumericArray, ConditionData>()));

/** Images of numbers. */
const images = (shape: [number, number, number, number], ...data: number[]) => ({ data: Int32Array.from(data), shape });

describe('planJob', () => {
  it('fills in the defaults', () => {
    const job = planned(shape, {});
    expect(job).toMatchObject({ numImages: 1, imageShape: [2, 2, 1], firstImage: 0, temperature: 1, topK: undefined, topP: undefined });
    expect(job).toMatchObject({ guidance: 0, firstValue: 'model', given: null, lookAhead: 0, withLogProb: false, yieldEvery: 125 });
  });

  it('takes indices of images up to 2^53 - 1', () => {
    expect(planned(shape, { firstImage: 2 ** 53 - 2, numImages: 2 }).numImages).toBe(2);
  });

  it('uses a new seed each time if none is given', () => {
    expect(planned(shape, {}).seed).not.toBe(planned(shape, {}).seed);
  });

  it('evaluates with guidance each image twice, with its class and without', () => {
    const conditions = [{ kind: 'map', size: 1 }, { kind: 'class', numClasses: 3, nullClass: true }] as const; // biome-ignore format: one line
    const wide: ModelShape = { ...shape, imageShape: [1, 2, 1], conditions };
    const map = { data: [1, 2, 3, 4], shape: [2, 1, 2, 1] };
    const job = planned(wide, { condition: { class: [2, 0], map }, guidance: 1 });
    const maps = { shape: [1, 2, 1], values: Float32Array.of(1, 2, 1, 2, 3, 4, 3, 4) };
    const twice = [maps, { shape: [1], values: Float32Array.of(2, 3, 0, 3) }];
    expect(evaluatedRows(conditions, job)).toEqual({ numImages: 4, numConditions: 4, imageShape: [1, 2, 1], conditions: twice });
  });

  it('reads given values once: levels where known, TO_DRAW elsewhere', () => {
    const initial = images([1, 2, 2, 1], 2, 1, 0, 99); // ignored where known is 0
    const known = images([1, 2, 2, 1], 1, 1, 1, 0);
    const job = planned(shape, { initial, known });
    expect(job.numImages).toBe(1);
    expect(Array.from(job.given ?? [])).toEqual([2, 1, 0, TO_DRAW]);
    const any = planned({ ...shape, imageShape: [null, null, 1] }, { initial, known });
    expect(any.imageShape).toEqual([2, 2, 1]);
  });

  it('draws as many images as there are conditions, and names invalid ones', () => {
    const conditional: ModelShape = { ...shape, conditions: [{ kind: 'class', numClasses: 3 }] };
    expect(planned(conditional, { condition: [2, 0] }).numImages).toBe(2);
    expect(planned(conditional, { condition: Uint8Array.of(2, 0, 1) }).numImages).toBe(3);
    expect(planned(conditional, { condition: { data: [2, 0], shape: [2, 1] } }).numImages).toBe(2);
    expect(planned(conditional, { condition: 1 }).numImages).toBe(1);
    for (const condition of [null, 'cat', true, [], [null], [[0]], undefined] as never[])
      expect(() => planned(conditional, { condition })).toThrow('sample: condition: wanted');
    expect(() => planned(shape, { condition: 1 })).toThrow('sample: condition: wanted none');
  });

  const [initial, known] = [images([1, 2, 2, 1], 0, 0, 0, 0), images([1, 2, 2, 1], 1, 1, 1, 1)];
  const high = images([1, 2, 2, 1], 3, 3, 3, 3);
  const wide = images([1, 2, 3, 1], 0, 0, 0, 0, 0, 0);

  it.each([
    [{ numImages: 0 }, 'sample: numImages: wanted an integer of at least 1, got 0'],
    [{ imageShape: [2, 3, 1] }, 'sample: imageShape: wanted [2, 2, 1], got [2, 3, 1]'],
    [{ seed: 0.5 }, 'sample: seed: wanted an integer, got 0.5'],
    [{ firstImage: -1 }, 'sample: firstImage'],
    [{ firstImage: 2 ** 53 - 1, numImages: 2 }, 'sample: firstImage: wanted an index that with 2 images stays below 2^53, got 90071992547'],
    [{ random: 1 as never }, 'sample: random: wanted a function'],
    [{ random: Math.random, seed: 1 }, 'sample: random: wanted either seed or random'],
    [{ onProgress: 3 as never }, 'sample: onProgress: wanted a function, got 3'],
    [{ initial: [[1]] as never, known }, 'sample: initial: wanted images of levels [N,H,W,C], got [[1]]'],
    [{ temperature: -1 }, 'sample: temperature: wanted a number of at least 0, got -1'],
    [{ temperature: Number.NaN }, 'sample: temperature'],
    [{ topK: 0 }, 'sample: topK'],
    [{ topP: 0 }, 'sample: topP: wanted a number in (0, 1], got 0'],
    [{ topP: 1.1 }, 'sample: topP'],
    [{ firstValue: 'zero' as 'model' }, "sample: firstValue: wanted 'model' or 'uniform', got 'zero'"],
    [{ yieldEvery: -1 }, "sample: yieldEvery: wanted 'auto', 'never' or milliseconds, got -1"],
    [{ yieldEvery: 'often' as 'auto' }, 'sample: yieldEvery'],
    [{ initial }, 'sample: known: wanted 0 or 1, of shape [1,2,2,1], with initial, got undefined'],
    [{ known }, 'sample: initial: wanted levels of shape [1,2,2,1], with known, got undefined'],
    [{ initial: wide, known: wide }, 'sample: initial: wanted [2, 2, 1], got [2, 3, 1]'],
    [{ initial, known: wide }, 'sample: known'],
    [{ initial, known, numImages: 2 }, 'sample: initial: wanted levels of shape [2,2,2,1]'],
    [{ initial: high, known }, 'sample: initial: wanted integer levels 0 to 2, got 3'],
    [{ initial, known: high }, 'sample: known: wanted 0 or 1, got 3'],
    [{ initial, known: { ...known, data: Int32Array.of(1) } }, 'sample: known: data: wanted 4 levels, got 1'],
  ] as [SampleOptions, string][])('names what is wrong: %o', (options, message) => {
    expect(() => planned(shape, options)).toThrow(message);
  });
});
