import { imageGPT, toPortable } from 'pixelcnn-layers';
import * as rt from 'pixelcnn-layers/runtime';
import { useBackend } from './examples/lib/backend.mjs';
await useBackend('wasm');
const model = imageGPT({ imageShape: [28, 28, 1], levels: 16, width: 16, heads: 2, layers: 8, seed: 1, ...JSON.parse(process.argv[2]??'{}') });
const time = async (f) => { const t = process.cpuUsage().user; await f(); return (process.cpuUsage().user - t) / 1e6; };
const portable = await toPortable(model);
const best = {};
for (let i = 0; i < 8; i++) for (const n of [1,2,4,8,16]) { const t = await time(() => rt.sample(portable, { numImages: n, seed: 1 })); best[n]=Math.min(best[n]??9,t/n*16); }
console.log(best);
