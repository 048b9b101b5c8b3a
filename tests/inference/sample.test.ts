import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { AutoregressiveModel, SampleOptions, SampleProgress } from 'pixelcnn-layers';
import { logProb, MaskedConv2D, maskedConv2d, pixelCNN, sample, toPortable } from 'pixelcnn-layers';
import { logProb as logProbOfNumbers } from 'pixelcnn-layers/runtime';
import { describe, expect, it, vi } from 'vitest';
import { isGpu, onBackend, onEachBackend } from '../support/backends';
import { buildGolden, goldenModels } from '../support/golden/models';
import { modelOf, through } from '../support/models/graphs';
import { tinyModel } from '../support/models/tiny-space';
import { scoped } from '../support/scoped';
import { expectClose, expectNoLeaks, golden4d, setNoise, take } from '../support/tensors';
import { expectWarning } from '../support/warnings';

/** Images of a tiny space, or what is known of them. */
const tiny = (data: number[], dtype?: 'int32') => scoped(golden4d({ shape: [data.length / 4, 2, 2, 1], data }, dtype));

const draw = async (model: tfl.LayersModel, options: SampleOptions) => take(await sample(model, options));

onEachBackend('sample', (backend) => {
  describe.each(goldenModels)('draws the golden images of $name', ({ greedy, cdf, ...reference }) => {
    const { shape } = greedy.image;
    const perImage = shape.slice(1).reduce((a, b) => a * b, 1);
    // In software, GPUs take long: there all but the last two pixels are given.
    const drawnFrom = isGpu(backend) ? perImage - 2 * (shape[3] as number) : 0;

    /** `initial` and `known` that give the very first value of each image where the reference gave it, and what is not drawn. */
    function given({ data }: { data: number[] }, first: readonly number[] | null) {
      const isKnown = (place: number) => place < drawnFrom || (place === 0 && first !== null);
      const known = data.map((_, i) => (isKnown(i % perImage) ? 1 : 0));
      const initial = data.map((level, i) => (known[i] ? level : 0));
      if (first !== null) expect([data[0], data[perImage]]).toEqual(first);
      return scoped({ initial: golden4d({ shape, data: initial }, 'int32'), known: golden4d({ shape, data: known }) });
    }

    it('greedily', async () => {
      const model = scoped(buildGolden({ greedy, cdf, ...reference }));
      const options = given(greedy.image, greedy.first_value);
      for (const strategy of ['full', 'incremental'] as const) {
        expect(await draw(model, { ...options, temperature: 0, strategy })).toEqual(greedy.image.data);
      }
    });

    it('by the inverse of the distribution function', async () => {
      const model = scoped(buildGolden({ greedy, cdf, ...reference }));
      for (const { u, image, first_value } of cdf.traces) {
        // rows, columns, channels, and images innermost
        const uniforms = Array.from({ length: 2 * perImage }, (_, i) => u.data[(i % 2) * perImage + (i >> 1)]);
        let taken = 0;
        const random = () => uniforms[taken++ % uniforms.length] as number;
        const isFree = first_value === null && drawnFrom === 0;
        const options = isFree ? null : given(image, first_value);
        for (const strategy of ['full', 'incremental'] as const) {
          expect(await draw(model, { ...(options ?? { numImages: 2 }), random, strategy })).toEqual(image.data);
        }
        expect(taken).toBe(2 * uniforms.length); // one for every value, given or not
      }
    });
  });

  it('draws the same images for the same seed, in whatever parts', async () => {
    const model = scoped(tinyModel());
    const all = await draw(model, { numImages: 6, seed: 42 });
    const parts = [
      ...(await draw(model, { numImages: 1, seed: 42 })),
      ...(await draw(model, { numImages: 3, seed: 42, firstImage: 1 })),
      ...(await draw(model, { numImages: 2, seed: 42, firstImage: 4, strategy: 'full' })),
    ];
    expect(parts).toEqual(all);
    expect(await draw(model, { numImages: 6, seed: 43 })).not.toEqual(all);
    expect(await draw(model, { numImages: 24 })).not.toEqual(await draw(model, { numImages: 24 }));
  });

  it('completes given images, with noise that depends on the seed only', async () => {
    const model = scoped(tinyModel());
    const free = await draw(model, { numImages: 30, seed: 5 });
    // what was drawn at places 0 and 2 is given: the same noise draws the same images
    const mask = free.map((_, i) => (i % 4 === 0 || i % 4 === 2 ? 1 : 0));
    const [initial, known] = [tiny(free, 'int32'), tiny(mask)];
    expect(await draw(model, { initial, known, seed: 5 })).toEqual(free);
    // given values are kept, and only those
    const other = await draw(model, { initial, known, seed: 6 });
    expect(other.filter((_, i) => mask[i] === 1)).toEqual(free.filter((_, i) => mask[i] === 1));
    expect(other).not.toEqual(free);
  });

  it('draws the very first value uniformly where asked, and no other', async () => {
    const model = scoped(tinyModel());
    const values = [0.1, 0.4, 0.99];
    let calls = 0;
    const random = () => values[calls++ % 3] as number;
    const images = await draw(model, { numImages: 3, random, firstValue: 'uniform', topK: 1 });
    expect([images[0], images[4], images[8]]).toEqual([0, 1, 2]); // floor(3u), unfiltered
    // the rest is the most likely level (topK 1), whatever u: greedy from the same start
    const start = images.map((level, i) => (i % 4 === 0 ? level : 0));
    const initial = tiny(start, 'int32');
    const known = tiny(start.map((_, i) => (i % 4 === 0 ? 1 : 0)));
    expect(await draw(model, { initial, known, temperature: 0 })).toEqual(images);
    // what is known wins over the uniform draw
    expect(await draw(model, { initial, known, temperature: 0, firstValue: 'uniform', seed: 9 })).toEqual(images);
  });

  it('leaves no tensor behind but the images: on success, on errors and on aborts', async () => {
    const model = scoped(tinyModel());
    for (const strategy of ['full', 'incremental'] as const) {
      await expectNoLeaks(async () => {
        const images = await sample(model, { numImages: 2, seed: 1, strategy });
        expect([images.shape, images.dtype]).toEqual([[2, 2, 2, 1], 'int32']);
        return images;
      });
    }
    await expectNoLeaks(async () => {
      const onProgress = vi.fn().mockThrow(new Error('from the caller'));
      await expect(sample(model, { onProgress, strategy: 'full' })).rejects.toThrow('from the caller');
      await expect(sample(model, { random: () => 2 })).rejects.toThrow('sample: random');
      const controller = new AbortController();
      const aborting = sample(model, { strategy: 'full', signal: controller.signal, onProgress: () => controller.abort() });
      await expect(aborting).rejects.toMatchObject({ name: 'AbortError' });
    });
  });

  it('draws, and scores, levels beyond a byte by whole passes as it does without tensors', async () => {
    const levels = isGpu(backend) ? 512 : 65_536;
    const model = scoped(pixelCNN({ imageShape: [1, 2, 1], levels, hiddenDim: 4, outDim: 8, numBlocks: 1 }));
    setNoise(model);
    const options = { numImages: 2, temperature: 0 };
    const initial = scoped(tf.tensor4d([0, 0, levels - 1, 0], [2, 1, 2, 1], 'int32')); // the first of each is given
    const known = scoped(tf.tensor4d([1, 0, 1, 0], [2, 1, 2, 1], 'int32'));
    const images = scoped(await sample(model, { ...options, initial, known, strategy: 'full' }));
    const drawn = await images.data();
    expect([drawn[0], drawn[2]]).toEqual([0, levels - 1]);
    expect(drawn[1]).not.toBe(drawn[3]); // what is given counts
    expect(await draw(model, { ...options, initial, known })).toEqual(Array.from(drawn));

    const given = { data: drawn as Int32Array, shape: [2, 1, 2, 1] as const };
    const nats = await logProbOfNumbers(await toPortable(model), given);
    expectClose(await take(await logProb(model, images)), nats, 1e-4); // of about 20
  });

  it('works with any model from images to logits', async () => {
    const conv = tfl.layers.conv2d({ filters: 6, kernelSize: 1, kernelInitializer: 'zeros' });
    const { inputs, outputs } = modelOf([null, null, 2], 3, (image) => through(image, conv));
    const model = scoped(tfl.model({ inputs, outputs }));
    // all logits are 0: the level is floor(3u)
    const uniforms = Array.from({ length: 12 }, (_, i) => i / 12);
    let next = 0;
    const random = () => uniforms[next++] as number;
    const images = await draw(model, { imageShape: [2, 3, 2], random, strategy: 'full' });
    expect(images).toEqual(uniforms.map((u) => Math.floor(3 * u)));
    await expect(sample(model)).rejects.toThrow('sample: imageShape: wanted [H, W, 2]');
  });
});

onBackend('cpu', 'sample', () => {
  it('reports each row and the end, and shows the images as they grow', async () => {
    const model = scoped(pixelCNN({ imageShape: [3, 2, 2], levels: 2, hiddenDim: 1, outDim: 1, numBlocks: 0 }));
    const seen: { done: number; total: number; levels: number[] }[] = [];
    const random = () => 1 - 2 ** -53; // always the highest level
    const onProgress = ({ done, total, levels }: SampleProgress) => seen.push({ done, total, levels: Array.from(levels) });
    await draw(model, { onProgress, random, numImages: 2 });
    const rows = (count: number) => Array.from({ length: 24 }, (_, i) => (i % 12 < 4 * count ? 1 : 0));
    expect(seen).toEqual([
      { done: 4, total: 12, levels: rows(1) },
      { done: 8, total: 12, levels: rows(2) },
      { done: 12, total: 12, levels: rows(3) },
    ]);
  });

  it('rejects with the reason of the signal, at once where it is aborted already', async () => {
    const model = scoped(tinyModel());
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expect(sample(model, { signal: controller.signal })).rejects.toThrow('enough');
    await expect(sample(model, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });

    // an abort from outside arrives where the sampler yields
    const outside = new AbortController();
    setTimeout(() => outside.abort(), 0);
    const drawing = sample(model, { signal: outside.signal, yieldEvery: 0 });
    await expect(drawing).rejects.toMatchObject({ name: 'AbortError' });

    // and one with the very last value is not too late
    const late = new AbortController();
    const onProgress = ({ done, total }: SampleProgress) => done === total && late.abort();
    await expectNoLeaks(async () => {
      await expect(sample(model, { signal: late.signal, onProgress })).rejects.toMatchObject({ name: 'AbortError' });
    });
  });

  it('asks the model for nothing where all levels are given', async () => {
    const model = scoped(tinyModel());
    const asked = vi.spyOn(model.layers.at(-1) as tfl.layers.Layer, 'call');
    const given = [0, 1, 2, 2, 1, 1, 0, 2];
    const initial = tiny(given, 'int32');
    for (const drawn of [[], [3, 5]]) {
      asked.mockClear();
      const flags = given.map((_, i) => (drawn.some((place) => place === i) ? 0 : 1));
      const known = tiny(flags);
      const images = await draw(model, { initial, known, strategy: 'full', seed: 1 });
      expect(images.filter((_, i) => flags[i])).toEqual(given.filter((_, i) => flags[i]));
      expect(asked).toHaveBeenCalledTimes(drawn.length); // places 3 and 1, of different images
    }
    asked.mockRestore();
  });

  it('lets other work run by elapsed time, or never', async () => {
    const model = scoped(tinyModel());
    /** At each value, how much of the work that waits has run: each value adds one. */
    const turnsAtValues = async (yieldEvery: 'never' | number) => {
      const seen: number[] = [];
      let turns = 0;
      const random = () => {
        seen.push(turns);
        setTimeout(() => turns++, 0);
        return 0.5;
      };
      await draw(model, { yieldEvery, random });
      return seen;
    };
    expect(await turnsAtValues('never')).toEqual([0, 0, 0, 0]);
    expect(await turnsAtValues(0)).toEqual([0, 1, 2, 3]);
  });

  it('names invalid arguments before any tensor is made', async () => {
    const model = scoped(tinyModel()); // of images [2,2,1] with 3 levels
    const [initial, known] = [scoped(tf.zeros<tf.Rank.R4>([1, 2, 2, 1])), scoped(tf.ones<tf.Rank.R4>([1, 2, 2, 1]))];
    const high = scoped(tf.fill<tf.Rank.R4>([1, 2, 2, 1], 3));
    const wrong: [SampleOptions, string][] = [
      [{ strategy: 'fast' as 'full' }, "sample: strategy: wanted 'auto' or 'incremental' or 'full'"],
      [{ initial: [[1]] as never, known }, 'sample: initial: wanted a tensor of levels [N,H,W,C], got [[1]]'],
      [{ initial, known: 1 as never }, 'sample: known: wanted a tensor of 0 and 1 [N,H,W,C], got 1'],
      [{ initial: tf.zeros([2, 2, 1]), known }, 'sample: initial: wanted a tensor of levels [N,H,W,C], got [2, 2, 1]'],
      [{ initial: high, known }, 'sample: initial: wanted integer levels 0 to 2, got 3'],
      [{ initial, known: high }, 'sample: known: wanted 0 or 1, got 3'],
    ];
    await expectNoLeaks(async () => {
      for (const [options, message] of wrong) await expect(sample(model, options)).rejects.toThrow(message);
    });
  });

  it('refuses a model of another shape', async () => {
    const image = tfl.input({ shape: [4, 4, 1] });
    const model = tfl.model({ inputs: image, outputs: image });
    await expect(sample(undefined as never)).rejects.toThrow('sample: model: wanted a model');
    await expect(sample(model, { signal: {} as never })).rejects.toThrow('sample: signal: wanted an AbortSignal');
    await expect(sample(model)).rejects.toThrow('sample: model: wanted a model [N,H,W,C] -> [N,H,W,C,L]');
  });
});

/** Images [2,3,2], with a layer between that mixes nothing and is not known to programs. */
function odd(): AutoregressiveModel {
  const conv = maskedConv2d({ filters: 8, kernelSize: 3, maskType: 'A', imageChannels: 2 });
  const pooling = tfl.layers.maxPooling2d({ name: 'odd', poolSize: 1 });
  const model = modelOf([2, 3, 2], 4, (image) => through(image, conv, pooling));
  setNoise(model);
  return scoped(model);
}

/** What is drawn, and in how many forward passes of the model. */
async function drawn(model: AutoregressiveModel, strategy: SampleOptions['strategy']) {
  const apply = vi.spyOn(model, 'apply');
  const images = await take(await sample(model, { numImages: 2, seed: 1, ...(strategy && { strategy }) }));
  const passes = apply.mock.calls.length;
  apply.mockRestore();
  return { images, passes };
}

const VALUES = 2 * 3 * 2; // of an image

onBackend('cpu', 'the strategy of sample', () => {
  it('is incremental by itself: no forward pass, where whole passes make one a value', async () => {
    const model = scoped(pixelCNN({ imageShape: [2, 3, 2], levels: 4, hiddenDim: 2, outDim: 3, numBlocks: 1 }));
    setNoise(model);
    const { images, passes } = await drawn(model, 'full');
    expect(passes).toBe(VALUES);
    for (const strategy of [undefined, 'auto', 'incremental'] as const) {
      expect(await drawn(model, strategy)).toEqual({ images, passes: 0 });
    }
  });

  it('is whole passes by itself where a layer cannot be evaluated pixel by pixel, which is named where asked', async () => {
    const model = odd();
    const full = await drawn(model, 'full');
    expect(full.passes).toBe(VALUES);
    expect(new Set(full.images).size).toBeGreaterThan(1);
    expect(await expectWarning("layer 'odd'", () => drawn(model, 'auto'))).toEqual(full);
    await expect(sample(model, { strategy: 'incremental' })).rejects.toThrow(
      "sample: strategy 'incremental': layer 'odd' (MaxPooling2D) cannot be evaluated pixel by pixel",
    );
  });

  it('is whole passes if a class overrides call of the class that defines express', async () => {
    class Louder extends MaskedConv2D {
      static override className = 'Louder';
      override call(inputs: tf.Tensor, kwargs: object) {
        return tf.tidy(() => tf.mul(super.call(inputs, kwargs as never) as tf.Tensor, 30));
      }
    }
    const louder = new Louder({ filters: 4, kernelSize: 3, maskType: 'A', imageChannels: 1 });
    const model = scoped(modelOf([2, 3, 1], 4, (image) => through(image, louder)));
    await expect(sample(model, { strategy: 'incremental' })).rejects.toThrow(
      /layer '.*' \(Louder\) cannot be evaluated pixel by pixel: its class has its own call/,
    );
  });

  it('warns once for each model that whole passes are taken unasked: of the layer, and of their number', async () => {
    const [model, other] = [odd(), odd()];
    const causal = scoped(pixelCNN({ imageShape: [2, 3, 2], levels: 4, hiddenDim: 2, outDim: 3, numBlocks: 0 }));
    const message =
      "sample: layer 'odd' (MaxPooling2D) cannot be evaluated pixel by pixel. So each value takes a whole forward pass: " +
      '12 of them (2x3x2) instead of the cost of about one. checkCausality tests whether the model is causal; if it is not, ' +
      "samples and likelihoods are meaningless. With strategy: 'full' there is no warning.";
    await expectWarning(message, async () => {
      await drawn(model, 'full');
      await drawn(causal, 'auto');
      await expect(sample(model, { strategy: 'incremental' })).rejects.toThrow('odd');
      expect(console.warn).not.toHaveBeenCalled();
      await drawn(model, undefined);
      await drawn(model, 'auto');
    });
    await expectWarning(message, () => drawn(other, 'auto'));
  });

  const row = () => maskedConv2d({ filters: 2, kernelSize: [1, 3], vertical: true, imageChannels: 2 });
  const next = (args: object) => maskedConv2d({ filters: 8, kernelSize: [1, 3], imageChannels: 2, ...args });
  it.each<[string, () => tfl.layers.Layer[], string]>([
    ['a mask B alone', () => [next({})], 'the model is not causal: its logits of channel 0 see that channel or a later one'],
    ['rows that are seen whole', () => [row(), next({ maskType: 'A' })], 'see later pixels of their row: shift the states of an LSTM'],
  ])('warns that samples of a model that is not causal are meaningless: %s', async (_, layers, obstacle) => {
    const model = scoped(modelOf([3, 3, 2], 4, (image) => through(image, ...layers())));
    await expectWarning(obstacle, async () => {
      await drawn(model, 'full');
      expect(console.warn).not.toHaveBeenCalled();
      await drawn(model, 'auto');
      expect(vi.mocked(console.warn).mock.calls[0]?.[0]).toContain(
        'So samples and likelihoods are meaningless (checkCausality finds the layer), and each value takes a whole forward pass: 18 of them',
      );
    });
  });
});
