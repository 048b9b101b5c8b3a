// AssemblyScript, compiled by scripts/build-kernels.mjs to a WebAssembly module with SIMD. Addresses and strides count bytes here.

export { run } from './instructions';
export { softmax } from './softmax';
