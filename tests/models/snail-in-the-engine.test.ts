import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  type AutoregressiveModel,
  type PixelSNAILArgs,
  pixelSNAIL,
  type SampleOptions,
  sample,
  toPortable,
} from 'pixelcnn-layers';
import { createPool, logProb as portableLogProb, sample as portableSample, readPortable, stepper, writePortable } from 'pixelcnn-layers/runtime'; // biome-ignore format: one line
import { beforeAll, describe, expect, it } from 'vitest';
import { isGpu, onEachBackend, onEachCpuBackend, useBackend } from '../support/backends';
import { expectLaw } from '../support/law';
import { workers } from '../support/pool-workers';
import { goldenSnail, goldenSnails } from '../support/snail-golden';
import { noise, take } from '../support/tensors';
import { expectDrawnAsByWholePasses } from '../support/whole-passes';

/** Weights far from those of the start, so that every part of the network counts. */
function model(args: PixelSNAILArgs): AutoregressiveModel {
  const made = pixelSNAIL({ seed: 1, ...args });
  for (const [i, layer] of made.layers.entries()) {
    const weights = layer.weights.map(({ originalName, shape }, j) => {
      const size = (shape as number[]).reduce((product, length) => product * length, 1);
      const isGain = originalName.endsWith('gain');
      return tf.tensor(noise(size, 31 * i + j + 1).map((x) => (isGain ? 0.8 + 0.4 * x : x)), shape as number[]); // biome-ignore format: one line
    });
    layer.setWeights(weights);
    tf.dispose(weights);
  }
  return made;
}

const small = { filters: 4, heads: 2, numBlocks: 1, numResBlocks: 1, resFilters: 3 };

describe.each(goldenSnails)('the reference $name, portable', (golden) => {
  beforeAll(() => useBackend('cpu'));

  it('has the likelihoods of the reference, value by value', async () => {
    const network = await goldenSnail(golden);
    const portable = readPortable(writePortable(await toPortable(network)));
    const [n, h, w] = golden.codes.shape as [number, number, number];
    const data = Uint8Array.from(golden.codes.data);
    const given = golden.condition === undefined ? {} : { condition: golden.condition };
    const nats = await portableLogProb(portable, { data, shape: [n, h, w, 1] }, given);
    for (const [i, expected] of golden.nll_nats_per_image.entries())
      expect(Math.abs((nats[i] as number) / -expected - 1)).toBeLessThan(1e-5);

    const { levels } = golden.config;
    const ofLevels = stepper(portable, { numImages: n, ...given });
    for (let place = 0; place < h * w; place++) {
      const all = ofLevels.logProbs();
      for (let i = 0; i < n; i++) {
        const start = (i * h * w + place) * levels;
        const logits = golden.logits.data.slice(start, start + levels);
        const sum = Math.log(logits.reduce((total, logit) => total + Math.exp(logit), 0));
        for (const [level, logit] of logits.entries())
          expect(Math.abs((all[i * levels + level] as number) - (logit - sum))).toBeLessThan(5e-5);
      }
      ofLevels.put(Array.from({ length: n }, (_, i) => data[i * h * w + place] as number));
    }
    ofLevels.dispose();
    network.dispose();
  });
});

interface Case {
  args: PixelSNAILArgs;
  options: SampleOptions & { numImages: number };
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    size: fc.constantFrom<[number, number]>([4, 4], [4, 6], [6, 2], [2, 8]),
    isAny: fc.boolean(),
    channels: fc.constantFrom(1, 2, 3),
    levels: fc.constantFrom(2, 5, 256),
    heads: fc.integer({ min: 1, max: 3 }),
    ofHead: fc.integer({ min: 1, max: 3 }),
    kernelSize: fc.constantFrom(3, 5),
    numBlocks: fc.integer({ min: 1, max: 2 }),
    numResBlocks: fc.integer({ min: 1, max: 2 }),
    resFilters: fc.integer({ min: 1, max: 5 }),
    outResBlocks: fc.integer({ min: 0, max: 1 }),
    attention: fc.constantFrom(true, true, false),
    input: fc.constantFrom('scaled' as const, 'oneHot' as const, { embedding: 3 }),
    output: fc.constantFrom('softmax' as const, { components: 2 }),
    conditions: fc.subarray(['class', 'vector', 'codes'] as const),
    numImages: fc.constantFrom(1, 2, 5, 33),
    seed: fc.integer({ min: 0, max: 99 }),
  })
  .map(({ size, isAny, channels, conditions, numImages, seed, heads, ofHead, ...rest }): Case => {
    const has = (kind: (typeof conditions)[number]) => conditions.includes(kind);
    const [h, w] = [size[0] / 2, size[1] / 2];
    const given = {
      ...(has('class') && { class: Array.from({ length: numImages }, (_, n) => n % 3) }),
      ...(has('vector') && { vector: { data: noise(2 * numImages, seed + 1), shape: [numImages, 2] } }),
      ...(has('codes') && { codes: { data: Array.from({ length: numImages * h * w }, (_, i) => (i * (seed + 3)) % 4), shape: [numImages, h, w] } }), // biome-ignore format: one line
    };
    const only = Object.values(given);
    return {
      args: {
        ...rest,
        heads,
        filters: 2 * heads * ofHead,
        imageShape: isAny && !has('codes') ? [null, null, channels] : [...size, channels],
        ...(has('class') && { numClasses: 3 }),
        ...(has('vector') && { conditionSize: 2 }),
        ...(has('codes') && {
          codeCondition: { levels: 4, shape: [h, w] as const, resBlocks: 1, resFilters: 3 },
        }),
      },
      options: {
        numImages,
        seed,
        imageShape: [...size, channels],
        ...(only.length > 0 && { condition: (only.length > 1 ? given : only[0]) as never }),
      },
    };
  });

onEachCpuBackend('PixelSNAIL drawn incrementally', (backend) => {
  it('gives the images of whole passes, and their likelihoods', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ args, options }) => {
        const network = model(args);
        await expectDrawnAsByWholePasses(network, options);
        network.dispose();
      }),
      { numRuns: backend === 'wasm' ? 14 : 3, seed: 7 }, // whole passes are slow elsewhere
    );
  });
});

onEachBackend('PixelSNAIL drawn incrementally', (backend) => {
  // not on GPUs: whole passes there have their golden values; this one knows no backend
  it.skipIf(isGpu(backend))('gives the same bits on every backend', async () => {
    const codeCondition = { levels: 5, shape: [3, 3] as const, resBlocks: 1, resFilters: 3 };
    const network = model({ imageShape: [6, 6, 1], levels: 9, ...small, codeCondition });
    const condition = { data: Array.from({ length: 27 }, (_, i) => i % 5), shape: [3, 3, 3] };
    const images = await take(await sample(network, { numImages: 3, seed: 1, strategy: 'incremental', condition })); // biome-ignore format: one line
    expect(images.reduce((hash, level) => (Math.imul(hash, 31) + level) | 0, 0)).toMatchInlineSnapshot(
      `-2014244291`,
    );
    network.dispose();
  });
});

describe('the law', () => {
  beforeAll(() => useBackend('cpu'));

  it('gives all maps of 3x3 and two levels probabilities that sum to 1, and samples follow them, given codes', async () => {
    const codeCondition = { levels: 3, shape: [1, 3] as const, resBlocks: 1, resFilters: 2 };
    const network = model({ imageShape: [3, 3, 1], levels: 2, ...small, codeCondition, numClasses: 2 });
    const portable = await toPortable(network);
    await expectLaw(portable, [3, 3, 1], (count) => ({
      condition: {
        class: 1,
        codes: {
          data: Array.from({ length: 3 * count }, (_, i) => [2, 0, 1][i % 3] as number),
          shape: [count, 1, 3],
        },
      },
    }));
    network.dispose();
  });
});

describe('a network on codes', () => {
  beforeAll(() => useBackend('cpu'));

  const codeCondition = { levels: 4, shape: [2, 2] as const, resBlocks: 1, resFilters: 3 };
  const codes = (count: number) => ({ data: Array.from({ length: 4 * count }, (_, i) => (i * i) % 4), shape: [count, 2, 2] }); // biome-ignore format: one line

  it('draws in workers what it draws here', async () => {
    const network = model({ imageShape: [4, 4, 1], levels: 5, ...small, codeCondition });
    const portable = await toPortable(network);
    const options = { numImages: 7, seed: 2, condition: codes(7) };
    const pool = createPool({ workers: 2, createWorker: workers.startWorker });
    expect(await pool.sample(portable, options)).toEqual(await portableSample(portable, options));
    await pool.terminate();
    network.dispose();
  });

  it('goes with guidance, and with images that go on as others', async () => {
    const network = model({ imageShape: [4, 4, 1], levels: 5, ...small, codeCondition, numClasses: 2, nullClass: true }); // biome-ignore format: one line
    const condition = { class: [0, 1], codes: codes(2) };
    const draw = async (strategy: 'incremental' | 'full') =>
      take(await sample(network, { numImages: 2, seed: 4, condition, guidance: 2, strategy }));
    expect(await draw('incremental')).toEqual(await draw('full'));

    const portable = await toPortable(network);
    const steps = stepper(portable, { numImages: 2, condition });
    const both = stepper(portable, { numImages: 2, condition: { class: [1, 1], codes: { data: codes(2).data.slice(4).concat(codes(2).data.slice(4)), shape: [2, 2, 2] } } }); // biome-ignore format: one line
    for (const one of [steps, both]) for (let i = 0; i < 5; i++) one.put([i % 5, i % 5]);
    steps.copy([1, 1]); // with the codes of the second
    expect(steps.logProbs()).toEqual(both.logProbs());
    for (const one of [steps, both]) one.dispose();
    network.dispose();
  });
});
