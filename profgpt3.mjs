import * as tf from '@tensorflow/tfjs-core';
import { imageGPT, toPortable } from 'pixelcnn-layers';
import * as rt from 'pixelcnn-layers/runtime';
import { useBackend } from './examples/lib/backend.mjs';
await useBackend('wasm');
const n=16, model = imageGPT({ imageShape: [28, 28, 1], levels: 16, width: 16, heads: 2, layers: 8, seed: 1, ...JSON.parse(process.argv[2]??'{}') });
const x = tf.randomUniform([n, 28,28,1]);
const time = async (f) => { const t = process.cpuUsage().user; await f(); return (process.cpuUsage().user - t) / 1e6; };
const pass = async () => { const y = model.predict(x, { batchSize: n }); await y.data(); y.dispose(); };
const portable = await toPortable(model);
const draw = () => rt.sample(portable, { numImages: n, seed: 1 });
await pass(); await draw(); let a=9,b=9;
for (let i = 0; i < 20; i++) { a=Math.min(a,await time(pass)); b=Math.min(b,await time(draw)); }
console.log('min pass',a,'draw',b,'ratio',(b/a).toFixed(2));
