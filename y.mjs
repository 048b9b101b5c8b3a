import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as P from 'pixelcnn-layers';
const { pixelCNNPlusPlus } = P;
for (const backend of ['wasm','cpu']) {
await tf.setBackend(backend);
const side=16, row=8, column=8;
  const m = pixelCNNPlusPlus({ imageShape: [side,side,1], levels: 4, filters: 2, numResnets:1, components: 1, seed: 1 });
  let i=0;
  m.setWeights(m.weights.map(w => /gain/.test(w.name) ? tf.fill(w.shape, 0.8) : tf.randomNormal(w.shape,0,1,'float32',++i)));
const x0 = tf.randomUniform([1,side,side,1],0,1,'float32',7);
const at = (x) => tf.slice(m.apply(x), [0,row,column,0],[1,1,1,3]);
const base = await at(x0).data();
const g = await tf.grad(x => tf.sum(at(x)))(x0).data();
const buf = await x0.data();
const out=[];
for (let k=row*side+column;k<(row+1)*side;k++){ const b=Float32Array.from(buf); b[k]+=0.5; const y=await at(tf.tensor(b,[1,side,side,1])).data(); out.push([k, Math.max(...y.map((v,j)=>Math.abs(v-base[j]))), g[k]]);}
console.log(backend); console.log(out.map(String).join('\n'));
}
