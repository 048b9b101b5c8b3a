import * as tf from '@tensorflow/tfjs-core';
import { imageGPT, sample, toPortable } from 'pixelcnn-layers';
import * as rt from 'pixelcnn-layers/runtime';
import { useBackend } from './examples/lib/backend.mjs';
await useBackend('wasm');
const n = Number(process.argv[2] ?? 16);
const kind = process.argv[3] ?? 'small';
const net = kind === 'small' ? { imageShape: [28, 28, 1], levels: 16, width: 16, heads: 2, layers: 8, activation: process.argv[4] ?? 'gelu', norm: process.argv[5]??'layer' } : { imageShape: [Number(process.argv[7] ?? 32), 32, 1], levels: 512, width: 512, heads: 8, layers: Number(process.argv[6]??24), norm: 'rms', activation: 'quickGelu' };
const model = imageGPT({ ...net, seed: 1 });
console.log('weights', model.countParams());
const x = tf.randomUniform([n, ...net.imageShape]);
const time = async (f) => { const t = process.cpuUsage().user; await f(); return (process.cpuUsage().user - t) / 1e6; };
const pass = async () => { const y = model.predict(x, { batchSize: n }); await y.data(); y.dispose(); };
const portable = await toPortable(model);
if (kind === 'small') {
  await pass(); const draw = async () => (await sample(model, { numImages: n, seed: 1 })).dispose(); await draw();
  for (let i = 0; i < 7; i++) console.log('pass', (await time(pass)).toFixed(3), 'draw', (await time(draw)).toFixed(3), 'portable', (await time(() => rt.sample(portable, { numImages: n, seed: 1 }))).toFixed(3));
} else {
  model.dispose();
  console.log('draw', await time(() => rt.sample(portable, { numImages: n, seed: 1, onProgress: ({ fraction, ...r }) => { if (globalThis.last === undefined || fraction - last > 0.05) { globalThis.last = fraction; console.log(fraction.toFixed(2), (performance.now()/1000).toFixed(1), Math.round(process.memoryUsage().rss/1e6)); } } })));
}
