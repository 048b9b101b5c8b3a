import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { checkCausality, levelLogProbs, pixelCNN, sample as sampleTensor, toPortable } from 'pixelcnn-layers';
import { compress, decompress, logProb, sample, stepper } from 'pixelcnn-layers/runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeFile } from '../../../src/runtime/codec/format';
import { TO_DRAW } from '../../../src/runtime/distributions/levels';
import { mixtureOfLogistics } from '../../../src/runtime/distributions/logistic-mixture';
import { outputStride } from '../../../src/runtime/distributions/pixel-distribution';
import { logProbsFor, readOutputs } from '../../../src/runtime/distributions/readers';
import { digestOf } from '../../../src/runtime/program/file';
import { useBackend } from '../../support/backends';
import { filtered, sumOf } from '../../support/laws/all-images';
import { drawWith, type Filters } from '../../support/laws/draw-levels';
import { forAll } from '../../support/runs';
import { noise } from '../../support/tensors';

const levels = 7;
const sizes = { imageChannels: 2, components: 3 };
const mixture = mixtureOfLogistics({ ...sizes, levels });
const { numParameters } = mixture;

/** The same, without what is cheaper than all log-probabilities. */
const { levelAt: _, logProb: __, ...plain } = mixture;

const all: Filters = { temperature: 1, topK: undefined, topP: undefined };

/** What a model gives of so many pixels: parameters, and NaN behind those of each. */
function outputsOf(numImages: number, seed: number): Float32Array {
  const stride = outputStride(mixture);
  expect(stride).toBeGreaterThan(numParameters);
  const outputs = new Float32Array(numImages * stride).fill(Number.NaN);
  for (let n = 0; n < numImages; n++) outputs.set(noise(numParameters, seed + n), n * stride);
  return outputs;
}

const ofPixel = (outputs: Float32Array, n: number) =>
  outputs.subarray(n * outputStride(mixture), n * outputStride(mixture) + numParameters);

/** By the definition: the inverse of the distribution function of what the filters keep. */
function slowDraw(nats: Float64Array, { temperature, topK = levels, topP = 1 }: Filters, u: number): number {
  const kept = filtered([...nats], { temperature: Math.max(temperature, 1e-9), topK, topP });
  const possible = [...kept.keys()].filter((level) => (kept[level] as number) > 0);
  return possible.find((last) => sumOf(kept.slice(0, last + 1)) > u) ?? (possible.at(-1) as number);
}

const anyFilters = fc.record({
  temperature: fc.constantFrom(1, 1, 0, 1e-4, 0.3, 0.9, 1.1, 4),
  topK: fc.option(fc.integer({ min: 1, max: levels + 1 }), { nil: undefined }),
  topP: fc.option(fc.constantFrom(0.1, 0.5, 0.9, 1), { nil: undefined }),
});

describe.each(Object.entries({ 'that knows levels at uniforms': mixture, 'of log-probabilities alone': plain }))(
  'a distribution %s',
  (_, distribution) => {
    it('is drawn from by its definition, with any filters', () =>
      forAll([anyFilters, fc.nat(1e6)], { numRuns: 80, seed: 1 }, (filters, seed) => {
        const numImages = 5;
        const outputs = outputsOf(numImages, seed);
        const before = Int32Array.from({ length: 2 * numImages }, (_, i) => (seed + i) % levels);
        const uniforms = Float64Array.from(noise(numImages, seed), (x) => (x + 1) / 2);
        for (const channel of [0, 1]) {
          const drawn = new Int32Array(numImages).fill(TO_DRAW);
          drawn[3] = 6; // is given
          drawWith(distribution, numImages, filters)({ outputs, channel, levels: before }, uniforms, drawn);
          for (const n of [0, 1, 2, 4]) {
            const nats = new Float64Array(levels);
            mixture.logProbs(ofPixel(outputs, n), before.subarray(2 * n, 2 * n + channel), nats);
            expect(drawn[n]).toBe(slowDraw(nats, filters, uniforms[n] as number));
          }
          expect(drawn[3]).toBe(6);
        }
      }));

    it('is read, of all levels and of one', () => {
      const numImages = 3;
      const outputs = outputsOf(numImages, 1);
      const before = Int32Array.of(1, 0, 6, 0, 3, 0);
      const present = { outputs, channel: 1, levels: before };
      const reader = logProbsFor(distribution, numImages);
      const [ofAll, ofOne] = [new Float64Array(numImages * levels), new Float64Array(numImages)];
      reader.ofAll(present, ofAll);
      reader.of(present, [5, 0, 2], ofOne);
      for (const [n, level] of [5, 0, 2].entries()) {
        const nats = new Float64Array(levels);
        mixture.logProbs(ofPixel(outputs, n), [before[2 * n] as number], nats);
        expect(ofAll.subarray(n * levels, (n + 1) * levels)).toEqual(nats);
        expect(ofOne[n]).toBe(nats[level]);
      }
    });

    it('refuses parameters that are not finite', () => {
      for (const filters of [all, { ...all, temperature: 0 }, { ...all, topK: 2 }]) {
        const outputs = outputsOf(1, 1);
        outputs[4] = Number.NaN; // a mean of the first channel
        const present = { outputs, channel: 0, levels: new Int32Array(2) };
        const message = 'the model returned outputs that are not finite numbers';
        const drawn = Int32Array.of(TO_DRAW);
        expect(() => drawWith(distribution, 1, filters)(present, Float64Array.of(0.5), drawn)).toThrow(message);
        const reader = logProbsFor(distribution, 1);
        expect(() => reader.ofAll(present, new Float64Array(levels))).toThrow(message);
        expect(() => reader.of(present, [3], new Float64Array(1))).toThrow(message);
      }
    });
  },
);

describe('outputs that are not finite', () => {
  const image = { data: new Uint8Array(4), shape: [1, 2, 2, 1] as const };
  const sizes = { imageShape: [2, 2, 1], levels: 3, hiddenDim: 1, outDim: 1, numBlocks: 0 } as const;
  const model = async (output: 'softmax' | { components: number }) => {
    const network = pixelCNN({ ...sizes, output });
    for (const weight of network.weights) weight.write(tf.fill(weight.shape as number[], Number.NaN));
    const portable = await toPortable(network);
    return { network, portable };
  };
  beforeAll(() => useBackend('cpu'));

  const named = Object.entries({ logits: 'softmax' as const, parameters: { components: 2 } });
  it.each(named)('are called %s of %o, by the function that the user called', async (name, output) => {
    const { network, portable } = await model(output);
    const levels = tf.zeros([1, 2, 2, 1], 'int32');
    const header = { digest: digestOf(portable), numImages: 1, imageShape: [2, 2, 1] as const, levels: 3 };
    const code = { code: new Uint8Array(8), checksum: 0n };
    const file = writeFile({ ...header, conditions: [] }, [], [code]);
    const calls: Record<string, () => unknown> = {
      sample: () => sample(portable),
      logProb: () => logProb(portable, image),
      compress: () => compress(portable, image),
      decompress: () => decompress(portable, file),
      stepper: () => stepper(portable).logProbs(),
      levelLogProbs: () => levelLogProbs(network, levels),
      checkCausality: () => checkCausality(network, { inputs: 'all' }), // on images
    };
    for (const [caller, call] of Object.entries(calls)) {
      const message = `${caller}: the model returned ${name} that are not finite numbers`;
      await expect(Promise.resolve().then(call)).rejects.toThrow(new Error(message));
    }
    for (const options of [{ temperature: 0 }, { topK: 2 }, { withLogProb: true }, { adjust: () => {} }, { strategy: 'full' as const }])
      await expect(sampleTensor(network, options)).rejects.toThrow(`sample: the model returned ${name} that are not`);
    levels.dispose();
    network.dispose();
  });

  it('leave other errors as they are', () => {
    const other = new RangeError('other');
    const read = () => {
      throw other;
    };
    expect(() => readOutputs('caller', mixture, read)).toThrow(other);
    expect(readOutputs('caller', mixture, () => 7)).toBe(7);
  });
});
