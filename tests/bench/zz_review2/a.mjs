import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-cpu';
import { clipGradients, scheduleLearningRate } from 'pixelcnn-layers';
import { gunzip, parseIdx } from 'pixelcnn-layers/data';
import { gzipSync } from 'node:zlib';
for (const b of ['cpu','wasm']) {
  await tf.setBackend(b);
  const v=[tf.variable(tf.scalar(0)),tf.variable(tf.scalar(0))];
  const o=clipGradients(tf.train.sgd(1),1);
  o.applyGradients(v.map((x,i)=>({name:x.name,tensor:tf.scalar(i?40:NaN)})));
  console.log(b,'NaN grads ->',v.map(x=>x.dataSync()[0]));
  const w=[tf.variable(tf.scalar(0)),tf.variable(tf.scalar(0))];
  o.applyGradients(w.map((x,i)=>({name:x.name,tensor:tf.scalar(i?1:1e20)})));
  console.log(b,'1e20 grads ->',w.map(x=>x.dataSync()[0]));
}
try { scheduleLearningRate(tf.train.sgd(1), undefined); console.log('undefined schedule accepted'); } catch (e) { console.log(e.message); }
const g=gzipSync(Buffer.from([1,2,3]));
for (const [n,x] of [['junk',[9,9,9]],['zeros',[0,0,0,0]],['member',[...g]]])
  await gunzip(new Uint8Array([...g,...x])).then(r=>console.log(n,'->',[...r]),e=>console.log(n,'rejects',e.message));
const hdr=(rank,dims,type=8)=>Uint8Array.from([0,0,type,rank,...dims.flatMap(d=>[d>>>24,(d>>>16)&255,(d>>>8)&255,d&255])]);
for (const a of [hdr(2,[0,5]),hdr(40,[...Array(39).fill(0xffffffff),0]),hdr(1,[1],0x0a),hdr(3,[0xffffffff,0xffffffff,0xffffffff])]) { try { console.log(parseIdx(a).shape.length) } catch(e){console.log(e.message.slice(0,160))} }
