import { imageSet } from 'pixelcnn-layers/data';
import { listDirectory, readFiles } from './files.mjs';

const PIXELS = 28 * 28;
const TEXTS = ['train', 'valid', 'test'].map((part) => `binarized_mnist_${part}.amat`);
const BITS = ['train', 'valid', 'test'].map((part) => `${part}.bits`);
const WANTED = `wanted --path to a directory with ${TEXTS.join(', ')}, or with ${BITS.join(', ')}, each plain or .gz`;
/** Between the values of a text. */
const SPACES = Array.from(' \t\r\n', (one) => one.charCodeAt(0));
const ZERO = '0'.charCodeAt(0);

/**
 * The fixed binarization of MNIST on which nats are published, with validation images of its own.
 *
 * @param {string} [path] directory of the text files of 0 and 1 in which H. Larochelle distributed it, or of files of
 * bits: image by image, row by row, eight pixels to a byte, the first in its highest bit
 */
export async function binarizedMnist(path) {
  const isText = (await listDirectory(path, WANTED)).some((name) => name.startsWith(TEXTS[0]));
  const names = isText ? TEXTS : BITS;
  const files = await readFiles(path, names, WANTED);
  const [train, validation, test] = files.map((bytes, i) => {
    try {
      const data = isText ? digitsOf(bytes) : bitsOf(bytes);
      if (data.length === 0 || data.length % PIXELS !== 0) throw new Error(`got ${data.length}`);
      return imageSet({ data, shape: [data.length / PIXELS, 28, 28, 1], levels: 2 });
    } catch ({ message }) {
      throw new Error(`'${path}': ${names[i]}: wanted images of ${PIXELS} values 0 or 1, ${message}`);
    }
  });
  return { train, validation, test, about: 'handwritten digits (MNIST, the fixed binarization)' };
}

function digitsOf(text) {
  const digits = new Uint8Array(text.length);
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text[i] - ZERO;
    if (digit === 0 || digit === 1) digits[count++] = digit;
    else if (!SPACES.includes(text[i])) throw new Error(`got byte ${text[i]} at ${i}`);
  }
  return digits.slice(0, count);
}

function bitsOf(bytes) {
  const bits = new Uint8Array(8 * bytes.length);
  for (let i = 0; i < bits.length; i++) bits[i] = (bytes[i >> 3] >> (7 - (i & 7))) & 1;
  return bits;
}
