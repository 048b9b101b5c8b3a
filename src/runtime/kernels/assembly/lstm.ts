import { sigmoid, tanh } from './gate-f32';
import { endPlace, firstPlace, linesOf, padLine, pixelOf, placesOf, tapsBefore } from './lstm-lines';
import { packKernel } from './packing';
import { convolveRow } from './rows';
import { load4, startOf, step, write } from './tails';
import { paddedAt, paddedBytes } from './window';

// An LSTM over the pixels of images, image by image and line by line: see ops/pixel-lstm.ts. Each group of 4 size
// features holds o, f, i and g.

export function lstmScratch(
  _images: usize, height: usize, width: usize, groups: usize, size: usize, columns: usize, path: usize,
): usize {
  const places = placesOf(height, width, path), features = groups * size;
  const padded = paddedAt(0, features, 4 * features, columns);
  return padded + paddedBytes(1, places, features, 1, columns) + places * features * 16;
}

/**
 * Computes h and c [images,height,width,groups,size] and the activated gates
 * [images,height,width,groups,4,size] from z, shaped like gates, and a kernel [columns,features,4 features].
 */
export function lstm(
  h: usize, gates: usize, c: usize, z: usize, kernel: usize,
  images: usize, height: usize, width: usize, groups: usize, size: usize, columns: usize, path: usize, scratch: usize,
): void {
  const features = groups * size, pixel = features * 4, bytes = size * 4;
  const lines = linesOf(height, width, path), places = placesOf(height, width, path);
  const left = tapsBefore(columns, path);
  const padded = paddedAt(scratch, features, 4 * features, columns);
  const lineBytes = paddedBytes(1, places, features, 1, columns);
  const sums = padded + lineBytes; // [places][4 features]
  packKernel(scratch, kernel, features, 4 * features, 1, columns, columns, 4 * features);
  for (; images > 0; images--) {
    memory.fill(sums, 0, places * 4 * pixel);
    let endBefore: usize = 0; // the end of the previous line
    for (let t: usize = 0; t < lines; t++) {
      const first = firstPlace(t, width, path), end = endPlace(t, height, width, path);
      if (t > 0) {
        padLine(padded, lineBytes, h, t - 1, height, width, path, features, left);
        convolveRow(
          sums, 4 * pixel, padded + first * pixel, 0, 1, end - first, features, 4 * features, 1, columns, columns, false, scratch,
          -Infinity,
        );
      }
      let sum = sums;
      for (let place = first; place < end; place++) {
        const at = pixelOf(t, place, width, path) * pixel, hasCell = place < endBefore;
        const cell = hasCell ? c + pixelOf(t - 1, place, width, path) * pixel : 0;
        const given = z + 4 * at, gate = gates + 4 * at;
        for (let k: usize = 0; k < pixel; k += bytes, sum += 4 * bytes) {
          for (let next: usize = 0; next < bytes; next += step(bytes)) {
            const j = startOf(next, bytes), x = given + 4 * k + j, y = sum + j, to = gate + 4 * k + j;
            const o = sigmoid(f32x4.add(load4(x, bytes), load4(y, bytes)));
            const f = sigmoid(f32x4.add(load4(x + bytes, bytes), load4(y + bytes, bytes)));
            const i = sigmoid(f32x4.add(load4(x + 2 * bytes, bytes), load4(y + 2 * bytes, bytes)));
            const g = tanh(f32x4.add(load4(x + 3 * bytes, bytes), load4(y + 3 * bytes, bytes)));
            const fresh = f32x4.mul(i, g);
            const now = hasCell ? f32x4.add(f32x4.mul(f, load4(cell + k + j, bytes)), fresh) : fresh;
            write(to, o, bytes);
            write(to + bytes, f, bytes);
            write(to + 2 * bytes, i, bytes);
            write(to + 3 * bytes, g, bytes);
            write(c + at + k + j, now, bytes);
            write(h + at + k + j, f32x4.mul(o, tanh(now)), bytes);
          }
        }
      }
      endBefore = end;
    }
    const imageBytes = height * width * pixel;
    h += imageBytes;
    c += imageBytes;
    z += 4 * imageBytes;
    gates += 4 * imageBytes;
  }
}
