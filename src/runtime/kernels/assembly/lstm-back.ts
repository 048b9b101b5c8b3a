import { slopeOfSigmoid, slopeOfTanh, tanh } from './gate-f32';
import { endPlace, firstPlace, linesOf, padLine, pixelOf, placesOf, tapsBefore } from './lstm-lines';
import { packKernelBack } from './packing';
import { convolveRow } from './rows';
import { load4, startOf, step, write } from './tails';
import { paddedAt, paddedBytes } from './window';

// The gradient of lstm.ts for z; see the notes there.

export function lstmBackScratch(
  _images: usize, height: usize, width: usize, groups: usize, size: usize, columns: usize, path: usize,
): usize {
  const places = placesOf(height, width, path), features = groups * size;
  const padded = paddedAt(0, 4 * features, features, columns);
  return padded + paddedBytes(1, places, 4 * features, 1, columns) + 3 * places * features * 4;
}

/** Computes dz, shaped like gates, from dh, shaped like h. */
export function lstmBack(
  dz: usize, dh: usize, gates: usize, c: usize, kernel: usize,
  images: usize, height: usize, width: usize, groups: usize, size: usize, columns: usize, path: usize, scratch: usize,
): void {
  const features = groups * size, featuresOut = 4 * features, pixel = features * 4, bytes = size * 4;
  const lines = linesOf(height, width, path), places = placesOf(height, width, path);
  const padded = paddedAt(scratch, featuresOut, features, columns); // [places + columns - 1][4 features]
  const lineBytes = paddedBytes(1, places, featuresOut, 1, columns);
  const right = columns - 1 - tapsBefore(columns, path);
  const sums = padded + lineBytes; // the gradient of h from the line after, [places][features]
  let carried = sums + places * pixel, next = carried + places * pixel; // the gradient of c from the line after, by place
  packKernelBack(scratch, kernel, features, featuresOut, 1, columns, columns, featuresOut);
  for (; images > 0; images--) {
    memory.fill(sums, 0, 3 * places * pixel);
    for (let s = lines; s > 0; s--) {
      const t = s - 1, first = firstPlace(t, width, path), end = endPlace(t, height, width, path);
      const endBefore = t > 0 ? endPlace(t - 1, height, width, path) : 0;
      if (s < lines) {
        padLine(padded, lineBytes, dz, s, height, width, path, featuresOut, right);
        convolveRow(
          sums, pixel, padded + 4 * first * pixel, 0, 1, end - first, featuresOut, features, 1, columns, columns, true, scratch,
          -Infinity,
        );
      }
      memory.fill(next, 0, places * pixel);
      for (let place = first; place < end; place++) {
        const at = pixelOf(t, place, width, path) * pixel, row = place * pixel;
        const hasCell = place < endBefore;
        const cell = hasCell ? c + pixelOf(t - 1, place, width, path) * pixel : 0;
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
