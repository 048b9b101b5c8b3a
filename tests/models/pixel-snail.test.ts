import * as tf from '@tensorflow/tfjs-core';
import {
  type AutoregressiveModel,
  initializeFromData,
  logProb,
  normalize,
  type PixelSNAILArgs,
  pixelSNAIL,
  toPortable,
} from 'pixelcnn-layers';
import { logProb as portableLogProb, readPortable, writePortable } from 'pixelcnn-layers/runtime';
import { loadWeights } from 'pixelcnn-layers/weights';
import { beforeAll, describe, expect, it } from 'vitest';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { goldenSnail, goldenSnails } from '../support/golden/snail';
import { movedBy } from '../support/slow/moved';
import { expectClose, golden4d, noise, setNoise, take } from '../support/tensors';

const CODES = { levels: 3, shape: [2, 2], resBlocks: 1, resFilters: 2 } as const;

/** A small network; weights are noise where a seed of it is given. */
function build(args: Partial<PixelSNAILArgs> = {}, noiseSeed?: number): AutoregressiveModel {
  const small = { imageShape: [4, 4, 1], levels: 4, filters: 4, heads: 2, numBlocks: 1, numResBlocks: 1, resFilters: 2, seed: 1 } as const;
  const model = pixelSNAIL({ ...small, ...args });
  if (noiseSeed !== undefined) setNoise(model, noiseSeed, 1.5);
  return model;
}

/** Levels of so many images, int32 [N,H,W,C]. */
function someLevels(shape: readonly [number, number, number, number], levels: number, seed = 3): tf.Tensor4D {
  const size = shape.reduce((product, length) => product * length, 1);
  const values = Array.from(noise(size, seed), (x) => Math.floor((x + 1) * (levels / 2)));
  return tf.tensor4d(values, [...shape], 'int32');
}

/** Codes of so many images. */
const someCodes = (count: number) => ({ data: Array.from({ length: 4 * count }, (_, i) => (i * i) % 3), shape: [count, 2, 2] });

onEachBackend('pixelSNAIL', (backend) => {
  for (const golden of isGpu(backend) ? goldenSnails.slice(1, 2) : goldenSnails) {
    it(`computes the logits and likelihoods of the reference, also without tensors: ${golden.name}`, async () => {
      const model = await goldenSnail(golden);
      const [n, h, w] = golden.codes.shape as [number, number, number];
      const codes = golden4d({ data: golden.codes.data, shape: [n, h, w, 1] }, 'int32');
      const options = golden.condition === undefined ? {} : { condition: golden.condition };
      const logits = model.predict(normalize(codes, golden.config.levels), options);
      expectClose(await take(logits), golden.logits.data, 5e-5);
      const nats = await take(await logProb(model, codes, options));
      const portable = readPortable(writePortable(await toPortable(model)));
      const images = { data: Uint8Array.from(golden.codes.data), shape: [n, h, w, 1] as const };
      const ofEngine = await portableLogProb(portable, images, options);
      for (const [i, expected] of golden.nll_nats_per_image.entries()) {
        expect(Math.abs((nats[i] as number) / -expected - 1)).toBeLessThan(1e-5);
        expect(Math.abs((ofEngine[i] as number) / -expected - 1)).toBeLessThan(1e-5);
      }
      codes.dispose();
      model.dispose();
    });
  }
});

describe('pixelSNAIL', () => {
  beforeAll(() => useBackend(backends[0] ?? 'cpu'));

  it.each([true, false])('sees at each pixel all before it by attention (%j)', async (attention) => {
    const model = build({ imageShape: [8, 8, 1], attention, input: 'scaled', output: { components: 1 } }, 5);
    const { moved } = await movedBy([8, 8, 1], (x) => model.predict(x));
    const seenBy = (to: number) => Array.from({ length: 64 }, (_, from) => from).filter((from) => moved(from, to));
    for (const to of [9, 28, 54]) {
      // The end of the row above is in the features of no earlier place, until the window reaches it at the sixth column.
      const endAbove = to % 8 < 6 ? to - (to % 8) - 1 : -1;
      const all = Array.from({ length: to }, (_, from) => from).filter((from) => from !== endAbove);
      if (attention) expect(seenBy(to)).toEqual(all);
      else expect(seenBy(to)).not.toEqual(all); // the window alone does not reach so far
      expect(seenBy(to)).toContain(to - 1);
    }
    model.dispose();
  });

  /** Weights of a convolution: kernel, gain, bias. */
  const conv = (taps: number, featuresIn: number, featuresOut: number) => taps * featuresIn * featuresOut + 2 * featuresOut;
  const block = (taps: number, f: number, h: number, skip = 0) =>
    conv(taps, f, h) + (skip > 0 ? conv(1, skip, h) : 0) + conv(taps, h, 2 * f);

  it('has the weights of the repository', () => {
    for (const [f, r, k, levels, blocks, res, out] of [
      [8, 3, 3, 5, 1, 2, 0],
      [16, 4, 5, 7, 2, 1, 2],
    ] as const) {
      const model = build({
        filters: f,
        resFilters: r,
        kernelSize: k,
        levels,
        numBlocks: blocks,
        numResBlocks: res,
        outResBlocks: out,
        heads: 4,
        codeCondition: { ...CODES, resBlocks: 2, resFilters: 6 },
      });
      const half = k >> 1;
      const stem = conv(half * k, levels, f) + conv((half + 1) * half, levels, f);
      const attention =
        block(1, 2 * f + 2, f) + block(1, f + 2, f) + block(1, f, f, f / 2) + conv(1, f + 2, f / 2) + 2 * conv(1, 2 * f + 2, f / 2);
      const codes = conv(9, CODES.levels, 6) + 2 * block(9, 6, 6);
      const all = blocks * (res * (block(k * k, f, r) + 6 * 2 * f) + attention);
      expect(model.countParams()).toBe(stem + all + codes + out * block(1, f, r) + conv(1, f, levels));
      model.dispose();
    }
  });

  it('has the defaults that its arguments state', () => {
    const needed = { imageShape: [4, 4, 1], filters: 16, numBlocks: 1, numResBlocks: 1, resFilters: 2, name: 'snail' } as const;
    const stated = {
      levels: 256,
      kernelSize: 3,
      attention: true,
      heads: 8,
      dropout: 0,
      outResBlocks: 0,
      input: 'oneHot',
      output: 'softmax',
    } as const;
    const models = [
      pixelSNAIL({ ...needed, codeCondition: CODES }),
      pixelSNAIL({ ...needed, ...stated, codeCondition: { ...CODES, kernelSize: 3 } }),
    ];
    const [given, all] = models.map((model) => model.toJSON(null, false));
    expect(given).toEqual(all);
    for (const model of models) model.dispose();
  });

  it('sets the window and dropout of each part', () => {
    const codeCondition = { ...CODES, kernelSize: 1 };
    const model = build({ kernelSize: 5, dropout: 0.25, outResBlocks: 1, codeCondition });
    const configOf = (name: string) => model.getLayer(name).getConfig();
    const parts = { res0: 5, keys: 1, queries: 1, out: 1 };
    for (const [part, size] of Object.entries(parts))
      expect(configOf(`block0_${part}`)).toMatchObject({ kernelSize: [size, size], dropout: 0.25 });
    expect(configOf('block0_attention')).toMatchObject({ dropout: 0.25 });
    expect(configOf('codes_conv')).toMatchObject({ kernelSize: [1, 1] });
    expect(configOf('codes_res0')).toMatchObject({ kernelSize: [1, 1], dropout: 0.25 });
    expect(configOf('out_res0')).toMatchObject({ kernelSize: [1, 1], dropout: 0 });
    model.dispose();
  });

  it('reads what ends a block without attention by its name in the repository', () => {
    const model = build({ attention: false, numResBlocks: 0, outResBlocks: 1 });
    const load = () => loadWeights(model, new Map(), { from: 'rosinality/vq-vae-2-pytorch' });
    for (const name of ['blocks.0.out.conv.weight_v', 'blocks.0.out.conv.bias', 'out.0.conv1.conv.weight_g', 'out.2.conv.weight_v'])
      expect(load).toThrow(name);
    model.dispose();
  });

  it('begins with data, also the network on codes', async () => {
    const model = build({ codeCondition: CODES, numResBlocks: 2 });
    const labels = someLevels([6, 4, 4, 1], 4);
    await initializeFromData(model, labels, { condition: someCodes(6) });
    const gain = model.getLayer('codes_conv').getWeights()[1] as tf.Tensor;
    expect(Array.from(await gain.data()).every((g) => g !== 1)).toBe(true);
    expect(Number.isFinite((await take(await logProb(model, labels, { condition: someCodes(6) })))[0] as number)).toBe(true);
    labels.dispose();
    model.dispose();
  });

  it('names invalid arguments', () => {
    expect(() => pixelSNAIL(undefined as never)).toThrow('pixelSNAIL: wanted an object of arguments');
    const wrong = (args: object) => () => build(args);
    for (const imageShape of [[4, 4], [4, 4, null], '4', [0, 4, 1]])
      expect(wrong({ imageShape })).toThrow('pixelSNAIL: imageShape: wanted [H, W, C]');
    // biome-ignore format: one row a line
    const rows: [object, string][] = [
      [{ levels: 1 }, 'levels: wanted an integer of at least 2, got 1'],
      [{ filters: 6 }, 'filters: wanted a multiple of 2 * heads (4), or attention: false, got 6'],
      [{ filters: 0 }, 'filters: wanted an integer of at least 1, got 0'],
      [{ filters: 2 ** 15 }, 'filters: wanted sizes'],
      [{ heads: 0 }, 'heads: wanted an integer of at least 1, got 0'],
      [{ kernelSize: 1 }, 'kernelSize: wanted an integer of at least 3, got 1'],
      [{ kernelSize: 4 }, 'kernelSize: wanted an odd integer, got 4'],
      [{ numBlocks: 0 }, 'numBlocks: wanted an integer from 1 to 10000, got 0'],
      [{ numResBlocks: -1 }, 'numResBlocks: wanted an integer from 0 to 10000, got -1'],
      [{ outResBlocks: 1e9 }, 'outResBlocks: wanted an integer from 0 to 10000'],
      [{ resFilters: 0 }, 'resFilters: wanted an integer of at least 1, got 0'],
      [{ attention: 1 }, 'attention: wanted true or false, got 1'],
      [{ input: 'one-hot' }, "input: wanted 'scaled' or 'oneHot' or { embedding }, got 'one-hot'"],
      [{ output: 'mixture' }, "output: wanted 'softmax' or { components }, got 'mixture'"],
      [{ output: { components: 0 } }, 'output: components: wanted an integer of at least 1, got 0'],
      [{ dropout: 1 }, 'dropout: wanted a number from 0, below 1, got 1'],
      [{ seed: 1.5 }, 'seed: wanted an integer'],
      [{ numResBlocks: 0, numClasses: 2 }, 'numResBlocks: wanted 1 or more, since residual blocks read the conditions, got 0'],
      [{ numResBlocks: 0, codeCondition: CODES }, 'numResBlocks: wanted 1 or more'],
      [{ nullClass: true }, 'nullClass: wanted numClasses to be given too'],
      [{ codeCondition: 3 }, 'codeCondition: wanted an object'],
      [{ codeCondition: { ...CODES, levels: 1 } }, 'codeCondition: levels: wanted an integer of at least 2, got 1'],
      [{ codeCondition: { ...CODES, shape: [3, 2] } }, "codeCondition: shape: wanted [h, w] that divide the image's, [4, 4], got [3, 2]"],
      [{ codeCondition: { ...CODES, shape: [2] } }, 'codeCondition: shape: wanted [h, w], got [2]'],
      [{ codeCondition: { ...CODES, shape: [2, 2, 1] } }, 'codeCondition: shape: wanted [h, w], got [2, 2, 1]'],
      [{ codeCondition: CODES, imageShape: [null, 4, 1] }, 'codeCondition: shape: wanted an imageShape whose height and width are known'],
      [{ codeCondition: { ...CODES, resBlocks: -1 } }, 'codeCondition: resBlocks: wanted an integer from 0 to 10000'],
      [{ codeCondition: { ...CODES, resFilters: 0 } }, 'codeCondition: resFilters: wanted an integer of at least 1'],
      [{ codeCondition: { ...CODES, kernelSize: 2 } }, 'codeCondition: kernelSize: wanted an odd integer'],
    ];
    for (const [args, message] of rows) expect(wrong(args), message).toThrow(`pixelSNAIL: ${message}`);
  });
});
