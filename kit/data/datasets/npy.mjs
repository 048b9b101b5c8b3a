import { statSync } from 'node:fs';
import { imageSet } from 'pixelcnn-layers/data';
import { HIGHEST_CLASS, labelsOf } from '../../models/classes.mjs';
import { parseNpy } from '../../weights/npy.mjs';
import { listDirectory, readFiles, readUnpacked } from './files.mjs';
import { splitTenths } from './tenths.mjs';

const CODES = ['train.npy', 'test.npy'];
const LABELS = ['train-labels.npy', 'test-labels.npy'];
const WANTED =
  'wanted --path to a .npy of at least 10 images [N,H,W] or [N,H,W,C], or to a directory with train.npy and test.npy';

/** The most levels of an image set. */
const MAX_LEVELS = 65_536;

/**
 * Codes saved by NumPy: of a VQ-VAE, of tiles, or of a palette.
 *
 * @param {string} [path] a file, of which each tenth image is for the test; or a directory with a file for each part, and where there are
 * classes one for the labels [N] of each
 * @param {number} [levels] how many codes there are; by default those up to the highest that the files hold
 * @param {boolean} [hasPalette] whether they are of a palette: images of 3 channels are RGB then, of 256 levels
 */
export async function npy(path, levels, hasPalette) {
  const about = `codes of ${path}`;
  if (path === undefined || !statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    const [codes] = codesOf([await readArray(path)], levels, hasPalette);
    const [count] = codes.shape;
    if (count < 10) throw new Error(`'${path}' has ${count}; ${WANTED}`);
    return { ...splitTenths(codes), about };
  }
  const [train, test] = codesOf(await readParts(path, CODES), levels, hasPalette);
  const [size, testSize] = [train, test].map(({ shape: [, ...imageShape] }) => imageShape.join('x'));
  if (size !== testSize)
    throw new Error(`'${path}' has training images of ${size}, test images of ${testSize}`);
  const hasLabels = (await listDirectory(path, WANTED)).some((name) => name.includes('-labels.npy'));
  if (!hasLabels) return { train, test, about };
  const [labels, testLabels] = (await readParts(path, LABELS)).map(classesIn);
  return {
    train: imageSet({ ...train, labels }),
    test: imageSet({ ...test, labels: testLabels }),
    about,
  };
}

/** Makes image sets of arrays, with a common number of levels. */
function codesOf(arrays, numCodes, hasPalette) {
  const given = hasPalette && arrays.every(({ shape }) => shape[3] === 3) ? 256 : numCodes;
  const highest = arrays.map((array) => checkRange('codes', array, (given ?? MAX_LEVELS) - 1));
  const levels = given ?? Math.max(2, 1 + Math.max(...highest));
  return arrays.map(({ name, data: codes, shape }) => {
    const [count, height, width, channels = 1] = shape;
    if (![3, 4].includes(shape.length) || ![1, 3].includes(channels)) {
      throw new Error(`'${name}': wanted [N,H,W] or [N,H,W,C] of 1 channel or 3, got [${shape}]`);
    }
    const data = levels <= 256 ? new Uint8Array(codes.length) : new Uint16Array(codes.length);
    data.set(codes);
    return imageSet({ data, shape: [count, height, width, channels], levels });
  });
}

function classesIn(array) {
  checkRange('classes', array, HIGHEST_CLASS);
  return labelsOf(array.data);
}

/** Checks that numbers are from 0 to `most`, and returns the highest. */
function checkRange(what, { name, data }, most) {
  let highest = 0;
  for (let i = 0; i < data.length; i++) {
    if (data[i] < 0 || data[i] > most)
      throw new Error(`'${name}': wanted ${what} 0 to ${most}, got ${data[i]}`);
    if (data[i] > highest) highest = data[i];
  }
  return highest;
}

async function readParts(path, names) {
  const files = await readFiles(path, names);
  return files.map((bytes, i) => named(names[i], bytes));
}

async function readArray(path) {
  if (path === undefined) throw new Error(WANTED);
  try {
    return named(path, await readUnpacked(path));
  } catch (error) {
    throw error.code === 'ENOENT'
      ? new Error(`'${path}' does not exist; ${WANTED}`, { cause: error })
      : error;
  }
}

/** An array, with the name of its file for errors. */
function named(name, bytes) {
  try {
    return { name, ...parseNpy(bytes) };
  } catch (error) {
    throw new Error(`'${name}': ${error.message}`, { cause: error });
  }
}
