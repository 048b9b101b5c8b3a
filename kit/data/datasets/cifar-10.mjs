import { parseCifar10 } from 'pixelcnn-layers/data';
import { readFiles } from './files.mjs';

const FILES = [...[1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`), 'test_batch.bin'];

/** @param {string} [path] directory of the extracted binary version, cifar-10-batches-bin */
export async function cifar10(path) {
  const batches = await readFiles(path, FILES);
  const test = batches.pop();
  return {
    train: parseCifar10(batches),
    test: parseCifar10(test),
    about: 'photographs of ten classes (CIFAR-10)',
  };
}
