import { gates, gatesBack } from './gate-loops';

// AssemblyScript, compiled by scripts/build-kernels.mjs to a WebAssembly module with SIMD, for the memory of
// tfjs's wasm backend. Addresses count bytes here.

/** y = a sigmoid(b) [images,pixels,groups,size] of x [images,pixels,groups,2,size] and a condition, or 0. */
export function linearGate(
  y: usize,
  x: usize,
  condition: usize,
  images: usize,
  pixels: usize,
  groups: usize,
  size: usize,
): void {
  gates(y, x, condition, images, pixels, groups, size, true);
}

/** The gradient for x of {@link linearGate}. */
export function linearGateBack(
  dx: usize,
  dy: usize,
  x: usize,
  condition: usize,
  images: usize,
  pixels: usize,
  groups: usize,
  size: usize,
): void {
  gatesBack(dx, dy, x, condition, images, pixels, groups, size, true);
}
