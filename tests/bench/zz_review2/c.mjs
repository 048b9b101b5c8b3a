import { imageBatches, imageSet, quantize } from 'pixelcnn-layers/data';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { WeightAverage, pixelCNN } from 'pixelcnn-layers';
const s = imageSet({ data: Uint8Array.from({length:28},(_, i)=>Math.floor(i/4)), shape: [7,2,2,1], levels: 7 });
for (const B of [3,7,16]) { const all=[]; let k=0; for (const b of imageBatches(s,{batchSize:B,seed:2})) { all.push(...Array.from(b.ys.dataSync()).filter((_,i)=>i%4===0)); tf.dispose(b); if(++k===20) break; }
  let ok=true; for (let e=0;(e+1)*7<=all.length;e++) ok&&=new Set(all.slice(e*7,e*7+7)).size===7;
  const r=[]; let j=0; for (const b of imageBatches(s,{batchSize:B,seed:2,firstStep:11})) { r.push(...Array.from(b.ys.dataSync()).filter((_,i)=>i%4===0)); tf.dispose(b); if(++j===9) break; }
  console.log(B, ok, String(r)===String(all.slice(11*B))); }
try { const it=imageBatches(s,{batchSize:3,firstStep:Number.MAX_SAFE_INTEGER})[Symbol.iterator](); const b=it.next().value; console.log(b.ys.dataSync()); } catch(e){console.log('big', e.message)}
console.log(tf.memory().numTensors);
const m=pixelCNN({imageShape:[2,2,1],levels:2,hiddenDim:1,outDim:1,numBlocks:0}); const a=new WeightAverage(m); const v0=(await m.getWeights()[0].data())[0];
m.setWeights(m.getWeights().map(w=>tf.fill(w.shape,5)));
const wait=(t)=>new Promise(r=>setTimeout(r,t));
await Promise.all([a.use(()=>wait(10)), a.use(()=>wait(20))]);
console.log('overlapping use: own 5, after', m.getWeights()[0].dataSync()[0]);
