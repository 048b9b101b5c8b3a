import { unpackSums } from './correlation';
import { endPlace, firstPlace, FROM_RIGHT, linesOf, padLine, pixelOf, placesOf, tapsBefore } from './lstm-lines';
import { correlateRow } from './rows';
import { copy } from './vector';
import { outBytesOf, paddedBytes, PIXELS } from './window';

// The gradient of lstm.ts for the kernel; see the notes there.

/** Bytes of scratch memory that {@link lstmKernelBack} needs. */
export function lstmKernelBackScratch(
  _images: usize, height: usize, width: usize, groups: usize, size: usize, columns: usize, path: usize,
): usize {
  const places = placesOf(height, width, path), features = groups * size;
  const rows = places + columns * features + PIXELS;
  return paddedBytes(1, places, features, 1, columns) + rows * outBytesOf(4 * features);
}

/** Computes dkernel, from h and from dz, shaped like gates. */
export function lstmKernelBack(
  dkernel: usize, h: usize, dz: usize,
  images: usize, height: usize, width: usize, groups: usize, size: usize, columns: usize, path: usize, scratch: usize,
): void {
  const features = groups * size, pixel = features * 4, outBytes = outBytesOf(4 * features);
  const lines = linesOf(height, width, path), places = placesOf(height, width, path);
  const left = tapsBefore(columns, path);
  const padded = scratch, lineBytes = paddedBytes(1, places, features, 1, columns);
  const slopes = padded + lineBytes; // [places][4 features in whole blocks]
  const sums = slopes + places * outBytes;
  memory.fill(slopes, 0, (places + columns * features + PIXELS) * outBytes);
  for (; images > 0; images--) {
    for (let s: usize = 1; s < lines; s++) { // the first line has none before it
      const t = path == FROM_RIGHT ? lines - s : s;
      const first = firstPlace(t, width, path), end = endPlace(t, height, width, path);
      padLine(padded, lineBytes, h, t - 1, height, width, path, features, left);
      for (let i = first; i < end; i++) {
        copy(slopes + (i - first) * outBytes, dz + 4 * pixelOf(t, i, width, path) * pixel, 4 * pixel);
      }
      const x = padded + first * pixel;
      correlateRow(sums, x, 0, slopes, end - first, features, outBytes, 1, columns, columns);
    }
    h += height * width * pixel;
    dz += 4 * height * width * pixel;
  }
  unpackSums(dkernel, sums, features, 4 * features, 1, columns, columns);
}
