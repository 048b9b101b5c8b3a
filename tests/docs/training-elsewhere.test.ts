import * as tf from '@tensorflow/tfjs-core';
import { gatedPixelCNN, pixelSNAIL } from 'pixelcnn-layers';
import { loadWeights, type NamedTensor, saveWeights } from 'pixelcnn-layers/weights';
import { beforeAll, expect, it } from 'vitest';
import { useBackend } from '../support/backends';
import { type Grouped, pageFunction } from '../support/docs/page-function';
import { grid, type SlowWeight, slowGated } from '../support/slow/gated';
import { expectClose, largestDifference, noise, take } from '../support/tensors';

// The functions of docs/guides/a-strangers-checkpoint.md, against a network in plain numbers.

beforeAll(() => useBackend('cpu'));

it('an interleaved network comes out as it was', async () => {
  const imageShape = [3, 4, 3] as const;
  const [height, width, channels] = imageShape;
  const [levels, numBlocks] = [4, 2];
  const sizes = { levels, hiddenDim: 3, outDim: 2, numBlocks, firstKernelSize: 3 };
  const model = gatedPixelCNN({ imageShape: [...imageShape], ...sizes, seed: 1 });
  // The other program's weights are noise, [out,in,rows,columns], and the same as the slow network wants them, [rows,columns,in,out].
  const tensors = new Map<string, NamedTensor>();
  const slow: SlowWeight[] = [];
  for (const [i, [name, { shape }]] of [...saveWeights(model, { to: 'pytorch' })].entries()) {
    const size = shape.reduce((product, length) => product * length, 1);
    const data = noise(size, 7919 * (i + 1)).map((one) => one / 2);
    tensors.set(name, { dtype: 'F32', shape, data });
    const [out, into = 1, rows = 1, columns = 1] = shape as [number, number?, number?, number?];
    const turned = Float32Array.from({ length: size }, (_, at) => {
      const [o, rest] = [at % out, Math.floor(at / out)];
      const [from, tap] = [rest % into, Math.floor(rest / into)];
      return data[(o * into + from) * rows * columns + tap] as number;
    });
    slow.push({ name: name.replace('.', '/'), shape: shape.length === 1 ? shape : [rows, columns, into, out], data: turned });
  }
  const image = noise(height * width * channels, 3).map((x) => (x + 1) / 2);
  const order = { imageChannels: channels, isInterleaved: true };
  const interleaved = slowGated(grid(image, imageShape), [], slow, { ...order, numBlocks });
  const wanted = Float32Array.from(interleaved, (_, i) => {
    const [level, channel, pixel] = [i % levels, Math.floor(i / levels) % channels, Math.floor(i / levels / channels)];
    return interleaved[(pixel * levels + level) * channels + channel] as number;
  });

  const logits = async () => take(model.predict(tf.tensor4d(image, [1, ...imageShape])));
  expect(largestDifference(await logits(), wanted)).toBeGreaterThan(0.1);
  const grouped = await pageFunction<Grouped>('grouped');
  const ordered = [...tensors].map(([name, tensor]): [string, NamedTensor] => {
    const own = grouped(tensor, 0, channels, /_(?:vertical|horizontal|across)\./.test(name));
    return [name, own.shape.length === 1 ? own : grouped(own, 1, channels, name.includes('_across.'))];
  });
  loadWeights(model, new Map(ordered), { from: 'pytorch' });
  expectClose(await logits(), wanted, 1e-5);
  model.dispose();
});

it('one logit z of a sigmoid becomes the logits 0 and z: a row of zeros comes before each', async () => {
  const twoRows = await pageFunction<(tensor: NamedTensor) => NamedTensor>('twoRows');
  const direction = { dtype: 'F32', shape: [1, 4, 1, 1], data: Float32Array.of(1, -2, 3, 4) };
  expect(twoRows(direction)).toEqual({ dtype: 'F32', shape: [2, 4, 1, 1], data: Float32Array.of(0, 0, 0, 0, 1, -2, 3, 4) });
  const bias = { dtype: 'F32', shape: [1], data: Float32Array.of(-0.25) };
  expect(twoRows(bias)).toEqual({ dtype: 'F32', shape: [2], data: Float32Array.of(0, -0.25) });
  const model = pixelSNAIL({ imageShape: [3, 4, 1], levels: 2, filters: 4, heads: 1, numBlocks: 1, numResBlocks: 1, resFilters: 2 });
  const weights = saveWeights(model);
  for (const part of ['kernel', 'gain', 'bias']) ((weights.get(`final_conv.${part}`) as NamedTensor).data as Float32Array).fill(0);
  loadWeights(model, weights);
  expect(await take(model.predict(tf.ones([1, 3, 4, 1])) as tf.Tensor)).toEqual(new Array(24).fill(0)); // of a direction of zeros
  model.dispose();
});
