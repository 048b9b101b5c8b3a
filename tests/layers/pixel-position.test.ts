import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { autoregressiveModel, logProb, maskedConv2d, pixelLogits, pixelPosition, sample, shiftedConv2d, toPortable } from 'pixelcnn-layers';
import { describe, expect, it } from 'vitest';
import { logProb as logProbOf } from '../../src/runtime/likelihood/log-prob';
import { readPortable, writePortable } from '../../src/runtime/program/file';
import { sample as samplePortable } from '../../src/runtime/sampling/sample';
import { onEachBackend, useBackend } from '../support/backends';
import { expectClose, expectNoLeaks, setNoise, take } from '../support/tensors';

onEachBackend('PixelPosition', () => {
  it.each([[1, 1], [2, 4], [3, 2]])('is the place of each pixel of %i x %i, from -1/2 on, whatever its features', async (h, w) => {
    const x = tf.fill([2, h, w, 3], 7);
    const y = pixelPosition().apply(x);
    expect(y.shape).toEqual([2, h, w, 2]);
    const place = Array.from({ length: h * w }, (_, i) => [Math.floor(i / w) / h - 0.5, (i % w) / w - 0.5]);
    expectClose(await take(y), [...place, ...place].flat(), 1e-6);
    x.dispose();
  }); // biome-ignore format: rows
});

describe('PixelPosition of features that passed strides', () => {
  type Symbolic = tfl.SymbolicTensor;
  const conv = (x: Symbolic, rest: { stride?: 1 | 2; transposed?: boolean } = {}) =>
    shiftedConv2d({ filters: 3, kernelSize: 2, shift: 'downRight', ...rest }).apply(x) as Symbolic;
  const down = (x: Symbolic) => conv(x, { stride: 2 });
  const up = (x: Symbolic) => conv(x, { stride: 2, transposed: true });
  /** Features and where they are, mixed: [N,h,w,3] -> [N,h,w,3]. */
  const withPosition = (x: Symbolic) => conv(tfl.layers.concatenate().apply([x, pixelPosition().apply(x) as Symbolic]) as Symbolic);

  it.each<[string, (x: Symbolic) => Symbolic]>([
    ['one', (x) => up(withPosition(down(x)))],
    ['one, at each of both resolutions', (x) => withPosition(up(withPosition(down(withPosition(x)))))],
    ['one, beside others that passed none', (x) => withPosition(tfl.layers.add().apply([x, up(down(x))]) as Symbolic)],
  ])('is what tensors compute: %s', async (_, network) => {
    await useBackend('cpu');
    await expectNoLeaks(async () => {
      const image = tfl.input({ shape: [4, 4, 1] });
      const before = maskedConv2d({ filters: 3, kernelSize: 3, maskType: 'A', imageChannels: 1 }).apply(image) as Symbolic;
      const last = maskedConv2d({ filters: 4, kernelSize: 1, imageChannels: 1 }).apply(network(before));
      const outputs = pixelLogits({ imageChannels: 1, levels: 4 }).apply(last);
      const model = autoregressiveModel({ inputs: image, outputs });
      setNoise(model);
      const options = { numImages: 3, seed: 1 };
      const full = await sample(model, { ...options, strategy: 'full' });
      const images = await take(full.clone());
      expect(await take(await sample(model, { ...options, strategy: 'incremental' }))).toEqual(images);
      const portable = readPortable(writePortable(await toPortable(model)));
      expect(Array.from((await samplePortable(portable, options)).data)).toEqual(images);
      const all = { data: Int32Array.from(images), shape: [3, 4, 4, 1] } as const;
      const perValue = await take(await logProb(model, full, { perValue: true }));
      expectClose(Array.from(await logProbOf(portable, all, { perValue: true })), perValue, 1e-5);
      tf.dispose(full);
      model.dispose();
    });
  });
});
