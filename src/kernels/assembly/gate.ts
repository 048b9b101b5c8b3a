import { gates, gatesBack } from './gate-loops';

// AssemblyScript, compiled by scripts/build-kernels.mjs to a WebAssembly module with SIMD, for the memory of
// tfjs's wasm backend. Addresses count bytes here.

/** y = tanh(a) sigmoid(b) [images,pixels,groups,size] of x [images,pixels,groups,2,size] and a condition, or 0. */
export function gate(
  y: usize,
  x: usize,
  condition: usize,
  images: usize,
  pixels: usize,
  groups: usize,
  size: usize,
): void {
  gates(y, x, condition, images, pixels, groups, size, false);
}

/** The gradient for x of {@link gate}. */
export function gateBack(
  dx: usize,
  dy: usize,
  x: usize,
  condition: usize,
  images: usize,
  pixels: usize,
  groups: usize,
  size: usize,
): void {
  gatesBack(dx, dy, x, condition, images, pixels, groups, size, false);
}
