import { readFile } from 'node:fs/promises';
import { brotliDecompressSync } from 'node:zlib';
import { imageSet } from 'pixelcnn-layers/data';
import { splitTenths } from './tenths.mjs';

/** The embedded emoji, packed by kit/data/sets/make-emoji.mjs. */
export async function emoji() {
  const packed = await readFile(new URL('../sets/emoji-images.u8.br', import.meta.url));
  const data = new Uint8Array(brotliDecompressSync(packed));
  const images = imageSet({ data, shape: [data.length / (16 * 16 * 3), 16, 16, 3], levels: 256 });
  return { ...splitTenths(images), about: 'Noto emoji (Google, Apache License 2.0)' };
}
