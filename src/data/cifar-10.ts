import { checkBytes, throwTypeError } from '../runtime/core/check';
import type { LabelledImageSet } from './image-set';

const SIDE = 32;
const PIXELS = SIDE * SIDE;
const RECORD = 1 + 3 * PIXELS;
const CLASSES = 10;

/**
 * Reads the binary version of CIFAR-10: `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`.
 *
 * Source: Krizhevsky, "The CIFAR-10 dataset", "Binary version": records of 3073 bytes, each with a label 0..9 followed
 * by the red, the green and the blue levels of 32 x 32 pixels, row by row.
 *
 * @param bytes a whole file, or several files, which are read as one set
 * @returns images [N,32,32,3] of 256 levels, channels last, and their labels
 * @throws TypeError if there are no records, a file ends in the middle of a record, or a label is above 9.
 * @example
 * ```js
 * import { parseCifar10 } from 'pixelcnn-layers/data';
 * const record = new Uint8Array(3073).fill(255, 1, 1025); // an image all red
 * record[0] = 3; // a cat
 * const images = parseCifar10([record, record]);
 * console.log(images.shape); // [2, 32, 32, 3]
 * console.log(Array.from(images.data.subarray(0, 6))); // [255, 0, 0, 255, 0, 0]
 * ```
 */
export function parseCifar10(
  bytes: Uint8Array | readonly Uint8Array[],
): LabelledImageSet<Uint8Array, Uint8Array> {
  const files: readonly Uint8Array[] = Array.isArray(bytes) ? bytes : [bytes as Uint8Array];
  for (const [i, file] of files.entries()) {
    const what = Array.isArray(bytes) ? `parseCifar10: bytes[${i}]` : 'parseCifar10: bytes';
    checkBytes(what, file);
    if (file.length === 0 || file.length % RECORD !== 0)
      throwTypeError(what, `records of ${RECORD} bytes`, file.length);
    for (let start = 0; start < file.length; start += RECORD) {
      const label = file[start] as number;
      if (label >= CLASSES) throwTypeError(what, `labels 0 to ${CLASSES - 1}, at byte ${start}`, label);
    }
  }
  if (files.length === 0) throwTypeError('parseCifar10: bytes', 'at least one file', files);

  const n = files.reduce((sum, file) => sum + file.length / RECORD, 0);
  const data = new Uint8Array(n * PIXELS * 3);
  const labels = new Uint8Array(n);
  let image = 0;
  for (const file of files) {
    for (let start = 0; start < file.length; start += RECORD, image++) {
      labels[image] = file[start] as number;
      for (let channel = 0; channel < 3; channel++) {
        const from = start + 1 + channel * PIXELS;
        const to = image * PIXELS * 3 + channel;
        for (let pixel = 0; pixel < PIXELS; pixel++) data[to + 3 * pixel] = file[from + pixel] as number;
      }
    }
  }
  return { data, shape: [n, SIDE, SIDE, 3], levels: 256, labels };
}
