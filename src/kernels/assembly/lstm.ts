import { sigmoid, tanh } from './lstm-gates';
import { packKernel } from './packing';
import { convolveRow } from './rows';
import { load4, startOf, step, write } from './tails';
import { copy } from './vector';
import { BLOCK, blocks, PIXELS } from './window';

// AssemblyScript, compiled by scripts/build-kernels.mjs to a WebAssembly module with SIMD, for the memory of
// tfjs's wasm backend. Addresses and strides count bytes here.
//
// An LSTM over lines of places, one step a line, of images one after the other: see ops/lstm.ts. Each of so many groups of
// 4 size features is o, f, i and g.

// @ts-ignore: decorator
@inline
function paddedBytesOf(places: usize, features: usize, columns: usize): usize {
  return (places + columns - 1 + PIXELS) * features * 4;
}

/** Bytes of scratch memory that {@link lstm} needs. */
export function lstmScratch(places: usize, features: usize, columns: usize): usize {
  const inputs = columns * features;
  return (
    blocks(4 * features) * (inputs + 1) * BLOCK + PIXELS * BLOCK + paddedBytesOf(places, features, columns) +
    places * features * 16
  );
}

/**
 * h and c [images,lines,places,groups size] and gates [images,lines,places,groups,4,size], activated, of z as gates and a
 * kernel [columns,features,4 features], of which `left` columns lie before the place.
 */
export function lstm(
  h: usize,
  gates: usize,
  c: usize,
  z: usize,
  kernel: usize,
  images: usize,
  lines: usize,
  places: usize,
  groups: usize,
  size: usize,
  columns: usize,
  left: usize,
  fromEnd: bool,
  scratch: usize,
): void {
  const features = groups * size, featuresOut = 4 * features;
  const biases = scratch, weights = biases + blocks(featuresOut) * BLOCK;
  const tile = weights + blocks(featuresOut) * columns * features * BLOCK;
  const padded = tile + PIXELS * BLOCK, paddedBytes = paddedBytesOf(places, features, columns);
  const sums = padded + paddedBytes; // [places][4 features]
  const lineBytes = places * features * 4, bytes = size * 4;
  const lowerBound: f32 = -Infinity;
  memory.fill(biases, 0, weights - biases);
  memory.fill(padded, 0, paddedBytes);
  packKernel(weights, kernel, features, featuresOut, 1, columns, columns);
  const imageBytes = lines * lineBytes;
  const first = fromEnd ? imageBytes - lineBytes : 0;
  for (; images > 0; images--) {
    let line = first, before: usize = 0;
    for (let t: usize = 0; t < lines; t++) {
      if (t == 0) memory.fill(sums, 0, 4 * lineBytes);
      else {
        copy(padded + left * features * 4, h + before, lineBytes);
        convolveRow(
          sums, padded, 0, places, features, featuresOut, 1, columns, columns, false, weights, biases, lowerBound, tile,
        );
      }
      let sum = sums, from = z + 4 * line, gate = gates + 4 * line, at = line, cell = c + before;
      for (let i = places * groups; i > 0; i--) {
        for (let next: usize = 0; next < bytes; next += step(bytes)) {
          const j = startOf(next, bytes);
          const o = sigmoid(f32x4.add(load4(from + j, bytes), load4(sum + j, bytes)));
          const f = sigmoid(f32x4.add(load4(from + bytes + j, bytes), load4(sum + bytes + j, bytes)));
          const i = sigmoid(f32x4.add(load4(from + 2 * bytes + j, bytes), load4(sum + 2 * bytes + j, bytes)));
          const g = tanh(f32x4.add(load4(from + 3 * bytes + j, bytes), load4(sum + 3 * bytes + j, bytes)));
          const fresh = f32x4.mul(i, g);
          const now = t == 0 ? fresh : f32x4.add(f32x4.mul(f, load4(cell + j, bytes)), fresh);
          write(gate + j, o, bytes);
          write(gate + bytes + j, f, bytes);
          write(gate + 2 * bytes + j, i, bytes);
          write(gate + 3 * bytes + j, g, bytes);
          write(c + at + j, now, bytes);
          write(h + at + j, f32x4.mul(o, tanh(now)), bytes);
        }
        sum += 4 * bytes;
        from += 4 * bytes;
        gate += 4 * bytes;
        at += bytes;
        cell += bytes;
      }
      before = line;
      line += fromEnd ? 0 - lineBytes : lineBytes;
    }
    h += imageBytes;
    c += imageBytes;
    z += 4 * imageBytes;
    gates += 4 * imageBytes;
  }
}
