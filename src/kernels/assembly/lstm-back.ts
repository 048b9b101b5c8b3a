import { unpackSums } from './correlation';
import { slopeOfSigmoid, slopeOfTanh, tanh } from './lstm-gates';
import { copyActive, packKernelBack } from './packing';
import { convolveRow, correlateRow } from './rows';
import { load4, startOf, step, write } from './tails';
import { copy } from './vector';
import { BLOCK, blocks, PIXELS } from './window';

// The gradients of lstm.ts; what it says holds here too.

// @ts-ignore: decorator
@inline
function paddedBytesOf(places: usize, features: usize, columns: usize): usize {
  return (places + columns - 1 + PIXELS) * features * 4;
}

/** Bytes of scratch memory that {@link lstmBack} needs. */
export function lstmBackScratch(places: usize, features: usize, columns: usize): usize {
  const outBytes = blocks(4 * features) * BLOCK;
  return (
    blocks(features) * (4 * columns * features + 1) * BLOCK + PIXELS * BLOCK +
    5 * paddedBytesOf(places, features, columns) + 3 * places * features * 4 + places * outBytes +
    (columns * features + PIXELS) * outBytes
  );
}

/** Gradients dz as gates and dkernel, of dh as h; of the lines' order, the last comes first. */
export function lstmBack(
  dz: usize,
  dkernel: usize,
  dh: usize,
  h: usize,
  gates: usize,
  c: usize,
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
  const features = groups * size, featuresOut = 4 * features, outBytes = blocks(featuresOut) * BLOCK;
  const biases = scratch, weights = biases + blocks(features) * BLOCK;
  const tile = weights + blocks(features) * columns * featuresOut * BLOCK;
  const paddedZ = tile + PIXELS * BLOCK, paddedBytes = paddedBytesOf(places, features, columns);
  const paddedH = paddedZ + 4 * paddedBytes;
  const lineBytes = places * features * 4, bytes = size * 4;
  const sums = paddedH + paddedBytes; // of the line after, [places][features]
  let carried = sums + lineBytes, next = carried + lineBytes; // what c is to the line after
  const slopes = next + lineBytes; // [places][4 features in whole blocks]
  const ofKernel = slopes + places * outBytes;
  const lowerBound: f32 = -Infinity;
  memory.fill(biases, 0, weights - biases);
  memory.fill(paddedZ, 0, 5 * paddedBytes);
  memory.fill(slopes, 0, places * outBytes + (columns * features + PIXELS) * outBytes);
  packKernelBack(weights, kernel, features, featuresOut, 1, columns, columns);
  const imageBytes = lines * lineBytes;
  const last = fromEnd ? 0 : imageBytes - lineBytes;
  for (; images > 0; images--) {
    let line = last;
    memory.fill(sums, 0, 2 * lineBytes);
    for (let t = lines; t > 0; t--) {
      const before = line + (fromEnd ? lineBytes : 0 - lineBytes), isFirst = t == 1;
      if (t < lines) {
        copy(paddedZ + (columns - 1 - left) * featuresOut * 4, dz + 4 * (line + (fromEnd ? 0 - lineBytes : lineBytes)), 4 * lineBytes);
        convolveRow(
          sums, paddedZ, 0, places, featuresOut, features, 1, columns, columns, true, weights, biases, lowerBound, tile,
        );
      }
      let gate = gates + 4 * line, slope = dz + 4 * line, at: usize = 0;
      for (let k = places * groups; k > 0; k--) {
        for (let n: usize = 0; n < bytes; n += step(bytes)) {
          const j = startOf(n, bytes);
          const o = load4(gate + j, bytes), f = load4(gate + bytes + j, bytes);
          const i = load4(gate + 2 * bytes + j, bytes), g = load4(gate + 3 * bytes + j, bytes);
          const d = f32x4.add(load4(dh + line + at + j, bytes), load4(sums + at + j, bytes));
          const tanhC = tanh(load4(c + line + at + j, bytes));
          const through = f32x4.mul(f32x4.mul(d, o), slopeOfTanh(tanhC));
          const dc = f32x4.add(through, load4(carried + at + j, bytes));
          const cell = isFirst ? f32x4.splat(0) : load4(c + before + at + j, bytes);
          write(slope + j, f32x4.mul(f32x4.mul(d, tanhC), slopeOfSigmoid(o)), bytes);
          write(slope + bytes + j, f32x4.mul(f32x4.mul(dc, cell), slopeOfSigmoid(f)), bytes);
          write(slope + 2 * bytes + j, f32x4.mul(f32x4.mul(dc, g), slopeOfSigmoid(i)), bytes);
          write(slope + 3 * bytes + j, f32x4.mul(f32x4.mul(dc, i), slopeOfTanh(g)), bytes);
          write(next + at + j, f32x4.mul(dc, f), bytes);
        }
        gate += 4 * bytes;
        slope += 4 * bytes;
        at += bytes;
      }
      const free = carried;
      carried = next;
      next = free;
      if (!isFirst) {
        copy(paddedH + left * features * 4, h + before, lineBytes);
        copyActive(slopes, outBytes, dz + 4 * line, 0, places, featuresOut);
        correlateRow(ofKernel, paddedH, 0, slopes, places, features, outBytes, 1, columns, columns);
      }
      line = before;
    }
    dz += 4 * imageBytes;
    dh += imageBytes;
    h += imageBytes;
    c += imageBytes;
    gates += 4 * imageBytes;
    // where the carried line begins is the same for the next image
    const lower = min(carried, next);
    next = max(carried, next);
    carried = lower;
  }
  unpackSums(dkernel, ofKernel, features, featuresOut, 1, columns, columns);
}
