import { sigmoid, tanh } from './lstm-gates';
import { endPlace, firstPlace, FROM_RIGHT, linesOf, paddedBytes, padLine, pixelOf, placesOf, ROWS } from './lstm-lines';
import { packKernel } from './packing';
import { convolveRow } from './rows';
import { load4, startOf, step, write } from './tails';
import { BLOCK, blocks, PIXELS } from './window';

// An LSTM over the pixels of images, image by image and line by line: see ops/pixel-lstm.ts. Each group of 4 size
// features holds o, f, i and g.

/** Bytes of scratch memory that {@link lstm} needs. */
export function lstmScratch(places: usize, features: usize, columns: usize): usize {
  const inputs = columns * features;
  return (
    blocks(4 * features) * (inputs + 1) * BLOCK + PIXELS * BLOCK + paddedBytes(places, features, columns) +
    places * features * 16
  );
}

/**
 * h and c [images,height,width,groups,size] and gates [images,height,width,groups,4,size], activated, of z as gates and a
 * kernel [columns,features,4 features].
 */
export function lstm(
  h: usize, gates: usize, c: usize, z: usize, kernel: usize,
  images: usize, height: usize, width: usize, groups: usize, size: usize, columns: usize, path: usize,
  scratch: usize,
): void {
  const features = groups * size, featuresOut = 4 * features, pixel = features * 4, bytes = size * 4;
  const lines = linesOf(height, width, path), places = placesOf(height, width, path);
  const left: usize = path == ROWS ? columns >> 1 : 1;
  const biases = scratch, weights = biases + blocks(featuresOut) * BLOCK;
  const tile = weights + blocks(featuresOut) * columns * features * BLOCK;
  const padded = tile + PIXELS * BLOCK, lineBytes = paddedBytes(places, features, columns);
  const sums = padded + lineBytes; // [places][4 features]
  const lowerBound: f32 = -Infinity;
  memory.fill(biases, 0, weights - biases);
  packKernel(weights, kernel, features, featuresOut, 1, columns, columns);
  for (; images > 0; images--) {
    for (let s: usize = 0; s < lines; s++) {
      const t = path == FROM_RIGHT ? lines - 1 - s : s, before = path == FROM_RIGHT ? t + 1 : t - 1;
      const first = firstPlace(t, height, width, path), end = endPlace(t, height, width, path);
      let from: usize = 0, to: usize = 0; // places of the line before
      if (s == 0) memory.fill(sums, 0, places * 4 * pixel);
      else {
        from = firstPlace(before, height, width, path);
        to = endPlace(before, height, width, path);
        padLine(padded, lineBytes, h, before, height, width, path, features, left);
        convolveRow(
          sums, padded + first * pixel, 0, end - first, features, featuresOut, 1, columns, columns, false, weights,
          biases, lowerBound, tile,
        );
      }
      let sum = sums;
      for (let place = first; place < end; place++) {
        const at = pixelOf(t, place, height, width, path) * pixel;
        const hasCell = place >= from && place < to;
        const cell = hasCell ? c + pixelOf(before, place, height, width, path) * pixel : 0;
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
    }
    const imageBytes = height * width * pixel;
    h += imageBytes;
    c += imageBytes;
    z += 4 * imageBytes;
    gates += 4 * imageBytes;
  }
}
