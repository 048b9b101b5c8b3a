import { webAssemblyKernels } from './dist/kernels/webassembly.js';
import { encode, Op } from './dist/kernels/instruction.js';
const size = Number(process.argv[2] ?? 8), places = Number(process.argv[3] ?? 400);
const k = webAssemblyKernels(400000);
for (let i = 0; i < 300000; i++) k.heap[i] = Math.sin(i) ;
const code = 350000, bases = 349000;
k.words[bases] = 0;
encode(k.heap, code, { op: Op.attend, y: {base:0,offset:0,stride:0}, a: {base:0,offset:64,stride:0}, b: {base:0,offset:1024,stride:0}, c:{base:0,offset:1024+places*size,stride:0}, length: size, weights: 200000, weightStride: size, inputs: places*size, parameter: 0.35 });
const reps=300; let best=1e9;
for (let r=0;r<200;r++){const t=performance.now(); k.run(code, code+25, bases, reps); best=Math.min(best,performance.now()-t);}
console.log('size',size,'places',places,'ns per place',(best*1e6/reps/places).toFixed(2));
