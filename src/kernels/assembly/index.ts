// AssemblyScript, compiled by scripts/build-kernels.mjs to one WebAssembly module with SIMD, whose memory is its user's. Addresses and strides
// count bytes here.

export { convolve, convolveBack, correlate, scratchBytes, sumPixels } from './convolution';
export { run } from './instructions';
export { softmax } from './softmax';
