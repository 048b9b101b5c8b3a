import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import * as P from 'pixelcnn-layers';
await tf.setBackend('wasm');
const { pixelCNNPlusPlus } = P;
for (const [side, numResnets, places] of [[32,1,[[31,16],[30,16],[29,16]]],[32,2,[[31,16],[31,31]]],[128,1,[[124,64]]],[160,2,[[156,80]]],[288,5,[[284,144]]]]) {
  const m = pixelCNNPlusPlus({ imageShape: [side,side,1], levels: 4, filters: 2, numResnets, components: 1, seed: 1 });
  let i=0;
  m.setWeights(m.weights.map(w => /gain/.test(w.name) ? tf.fill(w.shape, 0.6) : tf.randomNormal(w.shape,0,1,'float32',++i)));
  for (const [row, column] of places) {
    const g = tf.tidy(() => tf.grad(x => tf.sum(tf.slice(m.apply(x), [0,row,column,0],[1,1,1,3])))(tf.randomUniform([1,side,side,1],0,1,'float32',7)));
    const d = await g.data();
    let seen=0, top=99999,left=99999,right=0, future=0, nan=0;
    d.forEach((v,i)=>{ if (Number.isNaN(v)) nan++; if (v!==0) { const [r,c]=[Math.floor(i/side), i%side]; if (i>=row*side+column) future++; seen++; top=Math.min(top,r); left=Math.min(left,c); right=Math.max(right,c);} });
    // blind
    let blind=0; for (let r=top;r<=row;r++) for (let c=left;c<=right;c++) if (r*side+c<row*side+column && d[r*side+c]===0) blind++;
    if (side===32) { const bl=[]; for (let r=top;r<=row;r++) for (let c=left;c<=right;c++) if (r*side+c<row*side+column && d[r*side+c]===0) bl.push(r+","+c); console.log(bl.join(" ")); }
    console.log(side, numResnets, row, column, 'seen', seen, 'of', row*side+column, 'future', future, 'nan', nan, 'up', row-top, 'left', column-left, 'right', right-column, 'blind', blind);
  }
}
