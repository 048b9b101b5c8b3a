import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  type AutoregressiveModel,
  type PixelCNNPlusPlusArgs,
  pixelCNNPlusPlus,
  type SampleOptions,
  sample,
  toPortable,
} from 'pixelcnn-layers';
import { logProb as portableLogProb, sample as portableSample, readPortable, stepper, writePortable } from 'pixelcnn-layers/runtime'; // biome-ignore format: one line
import { beforeAll, describe, expect, it } from 'vitest';
import { isGpu, onEachBackend, onEachCpuBackend, useBackend } from '../support/backends';
import { expectToFollow } from '../support/chi-square';
import { goldenPlusPlus, goldenPlusPlusModel } from '../support/plus-plus-golden';
import { expectClose, noise, take } from '../support/tensors';
import { expectDrawnAsByWholePasses } from '../support/whole-passes';

/** Weights far from those of the start, so that every part of the network counts. */
function model(args: PixelCNNPlusPlusArgs): AutoregressiveModel {
  const made = pixelCNNPlusPlus({ seed: 1, ...args });
  const weights = made.getWeights().map(({ shape, size }, i) => {
    const isGain = shape.length === 1 && i % 3 === 1;
    return tf.tensor(noise(size, i + 1).map((x) => (isGain ? 0.8 + 0.4 * x : 0.5 * x)), shape); // biome-ignore format: one line
  });
  made.setWeights(weights);
  tf.dispose(weights);
  return made;
}

const small = { filters: 4, numResnets: 1, output: { components: 2 } };

describe.each(goldenPlusPlus)('the reference $name, portable', (golden) => {
  beforeAll(() => useBackend('cpu'));

  it('has the likelihoods of the reference, and those of the tensors', async () => {
    const network = await goldenPlusPlusModel(golden);
    const portable = readPortable(writePortable(await toPortable(network)));
    const { shape, data } = golden.images;
    const images = { data: Uint8Array.from(data), shape: shape as [number, number, number, number] };
    const nats = await portableLogProb(portable, images);
    for (const [n, expected] of golden.nll_exact_nats_per_image.entries())
      expect(Math.abs((nats[n] as number) / -expected - 1)).toBeLessThan(1e-5);

    const ofLevels = stepper(portable, { numImages: shape[0] as number });
    const [rows, columns, channels] = shape.slice(1) as [number, number, number];
    for (let place = 0; place < rows * columns * channels; place++) {
      const [row, column, channel] = ofLevels.place as readonly [number, number, number];
      const at = golden.places.find((p) => p.row === row && p.column === column && p.channel === channel);
      if (at !== undefined) {
        const all = ofLevels.logProbs().subarray(at.image * 256, (at.image + 1) * 256);
        expectClose(all, at.log_prob_of_levels, 2e-4); // up to 20 nats, of parameters within 3e-5
      }
      ofLevels.put(Array.from({ length: shape[0] as number }, (_, n) => data[n * rows * columns * channels + place] as number)); // biome-ignore format: one line
    }
    ofLevels.dispose();
    network.dispose();
  });
});

interface Case {
  args: PixelCNNPlusPlusArgs;
  numImages: number;
  options: SampleOptions & { numImages: number };
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    size: fc.constantFrom<[number, number]>([4, 4], [4, 8], [8, 4], [12, 4], [8, 8]),
    isAny: fc.boolean(),
    channels: fc.constantFrom(1, 2, 3),
    levels: fc.constantFrom(2, 5, 256),
    filters: fc.integer({ min: 1, max: 9 }),
    numResnets: fc.constantFrom(1, 1, 2),
    dropout: fc.constantFrom(0, 0.5),
    output: fc.constantFrom('softmax' as const, ...[1, 2, 3].map((components) => ({ components }))),
    condition: fc.constantFrom('none', 'class', 'vector', 'both'),
    numImages: fc.constantFrom(1, 2, 5, 33),
    seed: fc.integer({ min: 0, max: 99 }),
  })
  .map(({ size, isAny, channels, condition, numImages, seed, ...rest }): Case => {
    const [hasClass, hasVector] = [condition === 'class' || condition === 'both', condition === 'vector' || condition === 'both']; // biome-ignore format: one line
    const given = {
      ...(hasClass && { class: Array.from({ length: numImages }, (_, n) => n % 3) }),
      ...(hasVector && { vector: tf.tensor2d(noise(2 * numImages, seed + 1), [numImages, 2]) }),
    };
    const only = Object.values(given);
    return {
      args: {
        ...rest,
        imageShape: isAny ? [null, null, channels] : [...size, channels],
        ...(hasClass && { numClasses: 3 }),
        ...(hasVector && { conditionSize: 2 }),
      },
      numImages,
      options: {
        numImages,
        seed,
        imageShape: [...size, channels],
        ...(condition === 'none' ? {} : { condition: condition === 'both' ? given : only[0] }),
      },
    };
  });

onEachCpuBackend('PixelCNN++ drawn incrementally', (backend) => {
  it('gives the images of whole passes, and their likelihoods, of any size', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ args, options }) => {
        const network = model(args);
        await expectDrawnAsByWholePasses(network, options, await plain(options.condition));
        network.dispose();
      }),
      { numRuns: backend === 'wasm' ? 8 : 2, seed: 7 }, // whole passes are slow elsewhere
    );
  });
});

/** A condition without tensors. */
async function plain(condition: SampleOptions['condition']): Promise<unknown> {
  if (condition instanceof tf.Tensor) return { data: await condition.data(), shape: condition.shape };
  if (condition === undefined || Array.isArray(condition) || typeof condition !== 'object') return condition;
  const { class: classes, vector } = condition as unknown as { class: number[]; vector: tf.Tensor };
  return { class: classes, vector: await plain(vector) };
}

onEachBackend('PixelCNN++ drawn incrementally', (backend) => {
  // not on GPUs: whole passes there have their golden values; this one knows no backend
  it.skipIf(isGpu(backend))('gives the same bits on every backend', async () => {
    const network = model({ imageShape: [8, 8, 3], ...small });
    const images = await take(await sample(network, { numImages: 3, seed: 1, strategy: 'incremental' }));
    expect(images.reduce((hash, level) => (Math.imul(hash, 31) + level) | 0, 0)).toMatchInlineSnapshot(
      `-1302577282`,
    );
    network.dispose();
  });
});

describe('the law', () => {
  beforeAll(() => useBackend('cpu'));

  for (const output of [{ components: 2 }, 'softmax'] as const) {
    it(`gives all images of 4x4x1 and two levels probabilities that sum to 1, and samples follow them: ${output}`, async () => {
      const network = model({ imageShape: [4, 4, 1], levels: 2, ...small, filters: 2, output });
      const portable = await toPortable(network);
      const data = Uint8Array.from(
        { length: 2 ** 16 * 16 },
        (_, i) => (Math.floor(i / 16) >> (15 - (i % 16))) & 1,
      );
      const nats = await portableLogProb(portable, { data, shape: [2 ** 16, 4, 4, 1] });
      expect(Math.abs(nats.reduce((sum, value) => sum + Math.exp(value), 0) - 1)).toBeLessThan(1e-6);
      // By the last eight values given the first eight, and by the first eight.
      const drawn = await portableSample(portable, { numImages: 20_000, seed: 3 });
      const [firsts, lasts] = [new Array<number>(256).fill(0), new Array<number>(256).fill(0)];
      const [wantedFirsts, wantedLasts] = [new Array<number>(256).fill(0), new Array<number>(256).fill(0)];
      for (const [index, value] of nats.entries()) {
        const p = 20_000 * Math.exp(value);
        wantedFirsts[index >> 8] = (wantedFirsts[index >> 8] as number) + p;
        wantedLasts[index & 255] = (wantedLasts[index & 255] as number) + p;
      }
      for (let n = 0; n < 20_000; n++) {
        let index = 0;
        for (let i = 16 * n; i < 16 * n + 16; i++) index = 2 * index + (drawn.data[i] as number);
        firsts[index >> 8] = (firsts[index >> 8] as number) + 1;
        lasts[index & 255] = (lasts[index & 255] as number) + 1;
      }
      expectToFollow(firsts, wantedFirsts);
      expectToFollow(lasts, wantedLasts);
      network.dispose();
    });
  }
});
