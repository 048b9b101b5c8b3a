import { unpackSums } from './correlation';
import { endPlace, firstPlace, FROM_RIGHT, linesOf, paddedBytes, padLine, pixelOf, placesOf, ROWS } from './lstm-lines';
import { correlateRow } from './rows';
import { copy } from './vector';
import { BLOCK, blocks, PIXELS } from './window';

// The gradient of lstm.ts for the kernel; see the notes there.

/** Bytes of scratch memory that {@link lstmKernelBack} needs. */
export function lstmKernelBackScratch(places: usize, features: usize, columns: usize): usize {
  const outBytes = blocks(4 * features) * BLOCK;
  return paddedBytes(places, features, columns) + (places + columns * features + PIXELS) * outBytes;
}

/** Computes dkernel, from h and from dz, shaped like gates. */
export function lstmKernelBack(
  dkernel: usize, h: usize, dz: usize,
  images: usize, height: usize, width: usize, groups: usize, size: usize, columns: usize, path: usize,
  scratch: usize,
): void {
  const features = groups * size, pixel = features * 4, outBytes = blocks(4 * features) * BLOCK;
  const lines = linesOf(height, width, path), places = placesOf(height, width, path);
  const left: usize = path == ROWS ? columns >> 1 : 1;
  const padded = scratch, lineBytes = paddedBytes(places, features, columns);
  const slopes = padded + lineBytes; // [places][4 features in whole blocks]
  const sums = slopes + places * outBytes;
  memory.fill(slopes, 0, (places + columns * features + PIXELS) * outBytes);
  for (; images > 0; images--) {
    for (let t: usize = 0; t < lines; t++) {
      if (t == (path == FROM_RIGHT ? lines - 1 : 0)) continue; // no line comes before
      const first = firstPlace(t, height, width, path), end = endPlace(t, height, width, path);
      padLine(padded, lineBytes, h, path == FROM_RIGHT ? t + 1 : t - 1, height, width, path, features, left);
      for (let i = first; i < end; i++) {
        copy(slopes + (i - first) * outBytes, dz + 4 * pixelOf(t, i, height, width, path) * pixel, 4 * pixel);
      }
      const x = padded + first * pixel;
      correlateRow(sums, x, 0, slopes, end - first, features, outBytes, 1, columns, columns);
    }
    h += height * width * pixel;
    dz += 4 * height * width * pixel;
  }
  unpackSums(dkernel, sums, features, 4 * features, 1, columns, columns);
}
