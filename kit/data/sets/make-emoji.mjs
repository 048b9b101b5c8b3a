/**
 * Makes emoji-images.u8.br: the Google images of an emoji package, 16x16 RGB on white, as bytes [1911,16,16,3] packed with
 * Brotli. The package is large and needed for nothing else, so it is not installed; get it once:
 *
 *     npm pack emoji-datasource-google@16.0.0
 *     tar -xzf emoji-datasource-google-16.0.0.tgz
 *     node kit/data/sets/make-emoji.mjs --path package
 */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { writeWhole } from '../../runs/files.mjs';
import { readEmoji } from './emoji-sheets.mjs';

const SIDE = 16;
const IMAGE_BYTES = SIDE * SIDE * 3;

const { path } = parseArgs({ options: { path: { type: 'string' } } }).values;
assert(path, 'wanted --path to the unpacked package emoji-datasource-google');

const images = (await readEmoji(path, 'google', SIDE)).map(({ image }) => image);

assert.equal(images.length, 1911);
assert.equal(sum(images.filter((_, i) => i % 10 !== 9)), 257_644_165, 'sum of the training images');
assert.equal(sum(images.filter((_, i) => i % 10 === 9)), 28_600_721, 'sum of the test images');

const bytes = Buffer.concat(images);
assert.equal(bytes.length, 1911 * IMAGE_BYTES);
const packed = brotliCompressSync(bytes);
assert(brotliDecompressSync(packed).equals(bytes), 'reads back as it was');

const file = fileURLToPath(new URL('emoji-images.u8.br', import.meta.url));
await writeWhole(file, packed);
console.log(`${images.length} images, ${bytes.length} bytes packed into ${packed.length}: ${file}`);

function sum(arrays) {
  return arrays.reduce((total, array) => array.reduce((a, b) => a + b, total), 0);
}
