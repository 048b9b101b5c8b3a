// The files in this folder are AssemblyScript, which scripts/build-kernels.mjs compiles to
// WebAssembly modules with SIMD: for sampling, over their own heap, and for training, over the
// memory of tfjs's wasm backend. Addresses, strides and names with `bytes` count bytes. Functions named `…Scratch`
// return how many bytes of scratch memory a kernel needs at most.

/** Bytes of a vector of four floats. */
export const V: usize = 16;

/** sum + a b, with one rounding if the module is compiled for it and the processor supports it, else with two. */
@inline
export function plusProduct(sum: v128, a: v128, b: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, sum) : f32x4.add(sum, f32x4.mul(a, b));
}

/** Stores a vector, or its first lanes if fewer than 16 bytes are left. */
@inline
export function storeFirst(to: usize, x: v128, left: usize): void {
  if (left >= V) v128.store(to, x);
  else storeLanes(to, x, left);
}

function storeLanes(to: usize, x: v128, bytes: usize): void {
  for (const end = to + bytes; to < end; to += 4) {
    v128.store_lane<f32>(to, x, 0);
    x = v128.shuffle<f32>(x, x, 1, 2, 3, 0);
  }
}

/** Copies one or a few rows of floats, for which `memory.copy` is slow. */
export function copy(to: usize, from: usize, bytes: usize): void {
  let i: usize = 0;
  for (; i + V <= bytes; i += V) v128.store(to + i, v128.load(from + i));
  for (; i < bytes; i += 4) store<f32>(to + i, load<f32>(from + i));
}

/** Transposes four vectors: rows become columns. Addresses of the others count bytes from the first. */
export function transpose(
  y: usize, y1: usize, y2: usize, y3: usize, x: usize, x1: usize, x2: usize, x3: usize,
): void {
  const a = v128.load(x), b = v128.load(x + x1), c = v128.load(x + x2), d = v128.load(x + x3);
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5), cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7), cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(y, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
  v128.store(y + y1, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
  v128.store(y + y2, v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5));
  v128.store(y + y3, v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7));
}

/** The sum of the lanes: 0 + 2 and 1 + 3, then both. */
@inline
export function sumOfLanes(x: v128): f32 {
  const halves = f32x4.add(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(halves, 0) + f32x4.extract_lane(halves, 1);
}

/** The largest of the lanes, in each of them. */
@inline
export function largestOfLanes(x: v128): v128 {
  const halves = f32x4.pmax(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  return f32x4.pmax(halves, v128.shuffle<f32>(halves, halves, 1, 0, 3, 2));
}
