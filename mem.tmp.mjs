import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { pixelCNNPlusPlus, bitsPerDim } from 'pixelcnn-layers';
await tf.setBackend('wasm');
const small=process.argv[2]==='small';
const args=small?{filters:40,numResnets:2}:{filters:160,numResnets:5};
const model=pixelCNNPlusPlus({imageShape:[32,32,3],levels:256,output:{components:10},...args});
console.log('weights',model.countParams());
model.compile({optimizer:tf.train.adam(1e-3),loss:bitsPerDim});
const x=tf.randomUniform([1,32,32,3]),y=tf.cast(tf.randomUniform([1,32,32,3],0,256),'int32');
const eng=tf.engine();
const live=new Map();
const orig=eng.runKernel.bind(eng);
let peak=0,snap=null,step=0,stage='';
const bytesOf=t=>t.size*4;
const sum=()=>{const by={};for(const [id,[k,b,shape]] of live){const key=k;by[key]??={n:0,b:0};by[key].n++;by[key].b+=b}return by};
const od=eng.disposeTensor.bind(eng);
eng.disposeTensor=t=>{ od(t); if(t.isDisposed||!eng.state.tensorInfo.has(t.dataId)) live.delete(t.dataId)};
let lastKernels=[];
eng.runKernel=(name,inputs,attrs)=>{const out=orig(name,inputs,attrs);for(const t of [].concat(out)){ if(!live.has(t.dataId)) live.set(t.dataId,[name,bytesOf(t),t.shape])}
 const m=eng.state.numBytes; lastKernels.push(name); if(m>peak){peak=m;const by={};for(const [id,[k,b]] of live){ if(!eng.state.tensorInfo?.has(id)&&eng.state.tensorInfo) {live.delete(id);continue} by[k]??={n:0,b:0};by[k].n++;by[k].b+=b}snap={by,at:lastKernels.slice(-6),count:lastKernels.length}}
 return out};
for(let i=0;i<2;i++){peak=0;lastKernels=[];const t=performance.now();await model.trainOnBatch(x,y);console.log('step',i,'peak MiB',(peak/2**20).toFixed(0),'after',(tf.memory().numBytes/2**20).toFixed(0),'kernels',lastKernels.length,'peak at',snap.count,snap.at.join(','),((performance.now()-t)/1000).toFixed(1)+'s','rss',(process.memoryUsage().rss/2**20).toFixed(0));
console.log(Object.entries(snap.by).sort((a,b)=>b[1].b-a[1].b).slice(0,14).map(([k,{n,b}])=>`${k} ${n} ${(b/2**20).toFixed(1)}`).join('\n'))}
