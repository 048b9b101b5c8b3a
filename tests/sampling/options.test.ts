import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ImageModelShape } from '../../src/image-model/shape';
import { TO_DRAW } from '../../src/sampling/categorical';
import { planJob, type SampleOptions } from '../../src/sampling/options';
import { useBackend } from '../support/backends';
import { expectNoLeaks } from '../support/tensors';

beforeAll(() => useBackend('cpu'));

const shape: ImageModelShape = { imageShape: [2, 2, 1], levels: 3, condition: null };

describe('planJob', () => {
  it('fills in the defaults', async () => {
    const job = await planJob(shape, {});
    expect(job).toMatchObject({
      numImages: 1,
      imageShape: [2, 2, 1],
      levels: 3,
      filters: { temperature: 1, topK: undefined, topP: undefined },
      isFirstUniform: false,
      given: null,
      yieldMilliseconds: 125,
    });
  });

  it('takes a new seed each time where none is given', async () => {
    const first = async () => {
      const uniforms = new Float64Array(1);
      (await planJob(shape, {})).noise(uniforms);
      return uniforms[0];
    };
    expect(await first()).not.toBe(await first());
  });

  it('reads what is given once: levels where known, TO_DRAW elsewhere', async () => {
    const initial = tf.tensor4d([2, 1, 0, 99], [1, 2, 2, 1]); // ignored where known is 0
    const known = tf.tensor4d([1, 1, 1, 0], [1, 2, 2, 1], 'int32');
    const job = await planJob(shape, { initial, known });
    expect(job.numImages).toBe(1);
    expect(Array.from(job.given ?? [])).toEqual([2, 1, 0, TO_DRAW]);
    const any = await planJob(
      { imageShape: [null, null, 1], levels: 3, condition: null },
      { initial, known },
    );
    expect(any.imageShape).toEqual([2, 2, 1]);
    tf.dispose([initial, known]);
  });

  it('takes as many images as there are conditions, and names those that are none', async () => {
    const conditional: ImageModelShape = { ...shape, condition: { kind: 'class', numClasses: 3 } };
    expect((await planJob(conditional, { condition: [2, 0] })).numImages).toBe(2);
    expect((await planJob(conditional, { condition: 1 })).numImages).toBe(1);
    for (const condition of [null, 'cat', true, [], [null], [[0]], undefined] as never[]) {
      await expect(planJob(conditional, { condition })).rejects.toThrow('sample: condition: wanted');
    }
    await expect(planJob(shape, { condition: 1 })).rejects.toThrow('sample: condition: wanted none');
  });

  it('names what is wrong, before any tensor is made', async () => {
    const [initial, known] = [tf.zeros<tf.Rank.R4>([1, 2, 2, 1]), tf.ones<tf.Rank.R4>([1, 2, 2, 1])];
    const high = tf.fill<tf.Rank.R4>([1, 2, 2, 1], 3);
    const wide = tf.zeros<tf.Rank.R4>([1, 2, 3, 1]);
    const wrong: [SampleOptions, string][] = [
      [{ numImages: 0 }, 'sample: numImages: wanted an integer of at least 1, got 0'],
      [{ numImages: 1.5 }, 'sample: numImages'],
      [{ imageShape: [2, 3, 1] }, 'sample: imageShape: wanted [2, 2, 1], got [2, 3, 1]'],
      [{ seed: 0.5 }, 'sample: seed: wanted an integer, got 0.5'],
      [{ firstImage: -1 }, 'sample: firstImage'],
      [{ random: 1 as never }, 'sample: random: wanted a function'],
      [{ random: Math.random, seed: 1 }, 'sample: random: wanted either seed or random'],
      [{ onProgress: 3 as never }, 'sample: onProgress: wanted a function, got 3'],
      [{ temperature: '1' as never }, "sample: temperature: wanted a number of at least 0, got '1'"],
      [{ topP: '0.5' as never }, "sample: topP: wanted a number in (0, 1], got '0.5'"],
      [{ initial: [[1]] as never, known }, 'sample: initial: wanted a tensor of levels [N,H,W,C], got [[1]]'],
      [{ temperature: -1 }, 'sample: temperature: wanted a number of at least 0, got -1'],
      [{ temperature: Number.NaN }, 'sample: temperature'],
      [{ topK: 0 }, 'sample: topK'],
      [{ topP: 0 }, 'sample: topP: wanted a number in (0, 1], got 0'],
      [{ topP: 1.1 }, 'sample: topP'],
      [{ firstValue: 'zero' as 'model' }, "sample: firstValue: wanted 'model' or 'uniform', got 'zero'"],
      [{ strategy: 'fast' as 'full' }, "sample: strategy: wanted 'auto' or 'incremental' or 'full'"],
      [{ yieldEvery: -1 }, "sample: yieldEvery: wanted 'auto', 'never' or milliseconds, got -1"],
      [{ yieldEvery: 'often' as 'auto' }, 'sample: yieldEvery'],
      [{ initial }, 'sample: known: wanted 0 or 1, of shape [1,2,2,1], with initial, got undefined'],
      [{ known }, 'sample: initial: wanted levels of shape [1,2,2,1], with known, got undefined'],
      [{ initial: wide, known: wide }, 'sample: initial: wanted [2, 2, 1], got [2, 3, 1]'],
      [{ initial, known: wide }, 'sample: known'],
      [{ initial, known, numImages: 2 }, 'sample: initial: wanted levels of shape [2,2,2,1]'],
      [{ initial: high, known }, 'sample: initial: wanted integer levels 0 to 2, got 3'],
      [{ initial, known: high }, 'sample: known: wanted 0 or 1, got 3'],
    ];
    await expectNoLeaks(async () => {
      for (const [options, message] of wrong) await expect(planJob(shape, options)).rejects.toThrow(message);
    });
    tf.dispose([initial, known, high, wide]);
  });
});
