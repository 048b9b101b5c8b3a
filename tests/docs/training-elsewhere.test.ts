import * as tf from '@tensorflow/tfjs-core';
import { type SymbolicTensor, model as tfModel } from '@tensorflow/tfjs-layers';
import { gatedPixelCNN, pixelSNAIL } from 'pixelcnn-layers';
import { loadWeights, type NamedTensor, saveWeights } from 'pixelcnn-layers/weights';
import { beforeAll, expect, it } from 'vitest';
import { useBackend } from '../support/backends';
import { type Grouped, pageFunction } from '../support/docs/page-function';
import { grid, type SlowWeight, slowGated } from '../support/slow/gated';
import { expectClose, largestDifference, noise, take } from '../support/tensors';

// The functions of docs/guides/a-strangers-checkpoint.md, against networks in plain numbers; with PyTorch in
// tests/examples/strangers-checkpoint.test.ts.

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
  } // biome-ignore format: one step a line

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

it('one logit and a sigmoid come out as two logits', async () => {
  const from = 'rosinality/vq-vae-2-pytorch';
  const twoRows = await pageFunction<(tensor: NamedTensor) => NamedTensor>('twoRows');
  const sizes = { filters: 4, heads: 1, numBlocks: 1, numResBlocks: 1, resFilters: 2 };
  const model = pixelSNAIL({ imageShape: [3, 4, 1], levels: 2, input: 'scaled', ...sizes, seed: 1 });
  const before = saveWeights(model);
  const features = noise(4, 5);
  const last: [string, NamedTensor][] = [
    ['out.1.conv.weight_v', { dtype: 'F32', shape: [1, 4, 1, 1], data: features }],
    ['out.1.conv.weight_g', { dtype: 'F32', shape: [1, 1, 1, 1], data: Float32Array.of(1.5) }],
    ['out.1.conv.bias', { dtype: 'F32', shape: [1], data: Float32Array.of(-0.25) }],
  ];
  const names = (name: string) => (name.startsWith('out.1.') ? name : null);
  expect(() => loadWeights(model, new Map(last), { from, names })).toThrow(
    'out.1.conv.weight_v: wanted [2,4,1,1], got [1,4,1,1]',
  );
  const padded = last.map(([name, tensor]) => [name, twoRows(tensor)] as const);
  // The shapes are right now. The other weights are missing, since there is no other program's file of them.
  expect(() => loadWeights(model, new Map(padded), { from, names })).toThrow(/: missing \(\d+\): (?!.*misshapen)/);

  // Ours stay.
  const [v, g, bias] = padded.map(([, { data }]) => data as Float32Array) as [Float32Array, Float32Array, Float32Array];
  const kernel = Float32Array.from(v, (_, i) => v[(i % 2) * 4 + (i >> 1)] as number); // [2,4,1,1] -> [1,1,4,2]
  const own = (name: string, data: Float32Array) => ({ ...(before.get(name) as NamedTensor), data });
  before.set('final_conv.kernel', own('final_conv.kernel', kernel));
  before.set('final_conv.gain', own('final_conv.gain', g));
  before.set('final_conv.bias', own('final_conv.bias', bias));
  loadWeights(model, before);

  const image = tf.tensor4d(noise(12, 7).map((x) => (x > 0 ? 1 : 0)), [1, 3, 4, 1]);
  const hidden = tfModel({ inputs: model.inputs, outputs: model.getLayer('elu').output as SymbolicTensor });
  const x = await take(hidden.predict(image) as tf.Tensor); // [1,3,4,4]
  const length = Math.hypot(...features);
  const z = Array.from({ length: 12 }, (_, at) =>
    features.reduce((sum, one, i) => sum + (1.5 * one * (x[4 * at + i] as number)) / length, -0.25),
  );
  const logits = await take(model.predict(image) as tf.Tensor); // [1,3,4,1,2]
  expectClose(logits, z.flatMap((one) => [0, one]), 1e-5);
  image.dispose();
  model.dispose();
}); // biome-ignore format: one call a line
