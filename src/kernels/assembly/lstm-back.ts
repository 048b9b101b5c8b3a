import { slopeOfSigmoid, slopeOfTanh, tanh } from './lstm-gates';
import { endPlace, firstPlace, FROM_RIGHT, linesOf, paddedBytes, padLine, pixelOf, placesOf, ROWS } from './lstm-lines';
import { packKernelBack } from './packing';
import { convolveRow } from './rows';
import { load4, startOf, step, write } from './tails';
import { BLOCK, blocks, PIXELS } from './window';

// The gradient of lstm.ts for z; see the notes there.

/** Bytes of scratch memory that {@link lstmBack} needs. */
export function lstmBackScratch(places: usize, features: usize, columns: usize): usize {
  return (
    blocks(features) * (4 * columns * features + 1) * BLOCK + PIXELS * BLOCK +
    4 * paddedBytes(places, features, columns) + 3 * places * features * 4
  );
}

/** Computes dz, shaped like gates, from dh, shaped like h. */
export function lstmBack(
  dz: usize, dh: usize, gates: usize, c: usize, kernel: usize,
  images: usize, height: usize, width: usize, groups: usize, size: usize, columns: usize, path: usize,
  scratch: usize,
): void {
  const features = groups * size, featuresOut = 4 * features;
  const pixel = features * 4, bytes = size * 4;
  const lines = linesOf(height, width, path), places = placesOf(height, width, path);
  const left: usize = path == ROWS ? columns >> 1 : 1;
  const biases = scratch, weights = biases + blocks(features) * BLOCK;
  const tile = weights + blocks(features) * columns * featuresOut * BLOCK;
  const padded = tile + PIXELS * BLOCK, lineBytes = 4 * paddedBytes(places, features, columns); // [places + columns - 1][4 features]
  const sums = padded + lineBytes; // the gradient of h from the line after, [places][features]
  let carried = sums + places * pixel, next = carried + places * pixel; // the gradient of c from the line after, by place
  const lowerBound: f32 = -Infinity;
  memory.fill(biases, 0, weights - biases);
  packKernelBack(weights, kernel, features, featuresOut, 1, columns, columns);
  for (; images > 0; images--) {
    memory.fill(sums, 0, 3 * places * pixel);
    for (let s = lines; s > 0; s--) {
      const t = path == FROM_RIGHT ? lines - s : s - 1, before = path == FROM_RIGHT ? t + 1 : t - 1;
      const first = firstPlace(t, height, width, path), end = endPlace(t, height, width, path);
      let from: usize = 0, to: usize = 0; // places of the line before
      if (s > 1) {
        from = firstPlace(before, height, width, path);
        to = endPlace(before, height, width, path);
      }
      if (s < lines) {
        const after = path == FROM_RIGHT ? t - 1 : t + 1;
        padLine(padded, lineBytes, dz, after, height, width, path, featuresOut, columns - 1 - left);
        convolveRow(
          sums, padded + 4 * first * pixel, 0, end - first, featuresOut, features, 1, columns, columns, true, weights,
          biases, lowerBound, tile,
        );
      }
      memory.fill(next, 0, places * pixel);
      for (let place = first; place < end; place++) {
        const at = pixelOf(t, place, height, width, path) * pixel, row = place * pixel;
        const hasCell = place >= from && place < to;
        const cell = hasCell ? c + pixelOf(before, place, height, width, path) * pixel : 0;
        const sum = sums + row - first * pixel;
        for (let k: usize = 0; k < pixel; k += bytes) {
          for (let n: usize = 0; n < bytes; n += step(bytes)) {
            const j = k + startOf(n, bytes), gate = gates + 4 * at + 3 * k + j, slope = dz + 4 * at + 3 * k + j;
            const o = load4(gate, bytes), f = load4(gate + bytes, bytes);
            const i = load4(gate + 2 * bytes, bytes), g = load4(gate + 3 * bytes, bytes);
            const d = f32x4.add(load4(dh + at + j, bytes), load4(sum + j, bytes));
            const tanhC = tanh(load4(c + at + j, bytes));
            const through = f32x4.mul(f32x4.mul(d, o), slopeOfTanh(tanhC));
            const dc = f32x4.add(through, load4(carried + row + j, bytes));
            const old = hasCell ? load4(cell + j, bytes) : f32x4.splat(0);
            write(slope, f32x4.mul(f32x4.mul(d, tanhC), slopeOfSigmoid(o)), bytes);
            write(slope + bytes, f32x4.mul(f32x4.mul(dc, old), slopeOfSigmoid(f)), bytes);
            write(slope + 2 * bytes, f32x4.mul(f32x4.mul(dc, g), slopeOfSigmoid(i)), bytes);
            write(slope + 3 * bytes, f32x4.mul(f32x4.mul(dc, i), slopeOfTanh(g)), bytes);
            write(next + row + j, f32x4.mul(dc, f), bytes);
          }
        }
      }
      const free = carried;
      carried = next;
      next = free;
    }
    const imageBytes = height * width * pixel;
    dz += 4 * imageBytes;
    dh += imageBytes;
    c += imageBytes;
    gates += 4 * imageBytes;
  }
}
