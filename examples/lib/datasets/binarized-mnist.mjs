import { imageSet } from 'pixelcnn-layers/data';
import { listDirectory, readFiles } from './files.mjs';

const PIXELS = 28 * 28;
const TEXTS = ['train', 'valid', 'test'].map((part) => `binarized_mnist_${part}.amat`);
const BITS = ['train', 'valid', 'test'].map((part) => `${part}.bits`);
const WANTED = `wanted --path to a directory with ${TEXTS.join(', ')}, or with ${BITS.join(', ')}, each plain or .gz`;

/**
 * The fixed binarization of MNIST on which nats are published, with validation images of its own.
 *
 * @param {string} [path] directory of the text files of 0 and 1 in which H. Larochelle distributed it, or of files of
 * bits: image by image, row by row, eight pixels to a byte, the first in its highest bit
 */
export async function binarizedMnist(path) {
  const isText = (await listDirectory(path, WANTED)).some((name) => name.startsWith('binarized_mnist_'));
  const names = isText ? TEXTS : BITS;
  const files = await readFiles(path, names);
  const [train, validation, test] = files.map((bytes, i) => {
    const data = isText ? digitsOf(bytes) : bitsOf(bytes);
    if (data === null || data.length === 0 || data.length % PIXELS !== 0)
      throw new Error(`'${path}': ${names[i]}: wanted images of ${PIXELS} values 0 or 1`);
    return imageSet({ data, shape: [data.length / PIXELS, 28, 28, 1], levels: 2 });
  });
  return { train, validation, test, about: 'handwritten digits (MNIST, the fixed binarization)' };
}

/** The values of a text, or null if it has another character. */
function digitsOf(text) {
  const digits = text.filter((byte) => byte > 32); // neither spaces nor ends of lines
  const values = digits.map((byte) => byte - 48); // '0' is 48; what is below wraps around
  return values.every((value) => value <= 1) ? values : null;
}

function bitsOf(bytes) {
  const bits = new Uint8Array(8 * bytes.length);
  for (let i = 0; i < bits.length; i++) bits[i] = (bytes[i >> 3] >> (7 - (i & 7))) & 1;
  return bits;
}
