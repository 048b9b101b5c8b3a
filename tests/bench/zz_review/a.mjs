import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {useBackend} from '../../../examples/lib/backend.mjs';
import * as P from 'pixelcnn-layers';
await useBackend('wasm');
const FLAG='PIXELCNN_WASM_KERNELS';
console.log('in use',P.kernelsInUse());
// int32 dy
const layer=P.maskedConv2d({filters:2,kernelSize:3,imageChannels:1,kernelInitializer:'ones'});
const x=tf.ones([1,4,4,1]);layer.apply(x);
for(const on of [true,false]){tf.env().set(FLAG,on);
 for (const d of ['float32','int32']) try{const g=tf.grad(x=>layer.apply(x))(x,tf.ones([1,4,4,2],d));console.log('dy',d,'own',on,Array.from(g.dataSync()).slice(0,4));}catch(e){console.log('dy',d,'own',on,'ERR',e.message.slice(0,100))}}
tf.env().set(FLAG,true);
// second derivative 3x3
for(const ks of [1,3]){const l=P.maskedConv2d({filters:1,kernelSize:ks,imageChannels:1,kernelInitializer:'ones'});l.apply(x);
 for(const on of [true,false]){tf.env().set(FLAG,on);
 try{const g=tf.grad(x=>tf.sum(tf.square(tf.grad(x=>tf.sum(tf.square(l.apply(x))))(x))))(x);console.log('2nd x',ks,on,Array.from(g.dataSync()).slice(0,3))}catch(e){console.log('2nd x',ks,on,'ERR',e.message.slice(0,150))}
 try{const k=l.weights[0].read();const g=tf.variableGrads(()=>tf.sum(tf.square(tf.grad(x=>tf.sum(tf.square(l.apply(x))))(x))),[l.weights[0].val]);console.log('gradient penalty',ks,on,Object.values(g.grads)[0].dataSync().slice(0,3))}catch(e){console.log('gradient penalty',ks,on,'ERR',e.message.slice(0,150))}
}}
tf.env().set(FLAG,true);
// leak on disposed input
{const xd=tf.ones([1,4,4,1]);xd.dispose();const b=tf.backend();const n0=b.dataIdMap.data?b.numDataIds():b.numDataIds();try{layer.apply(xd)}catch(e){console.log('disposed:',e.message.slice(0,80))}console.log('dataIds',n0,b.numDataIds());
try{tf.tidy(()=>tf.conv2d(xd,tf.ones([1,1,1,1]),1,'same'))}catch(e){console.log('stock disposed:',e.message.slice(0,80))}console.log('dataIds after stock',b.numDataIds());}
// N=0
for(const on of [true,false]){tf.env().set(FLAG,on);try{console.log('N=0',on,layer.apply(tf.zeros([0,4,4,1])).shape)}catch(e){console.log('N=0',on,e.message.slice(0,100))}}
