import { quantize } from 'pixelcnn-layers/data';
import { emoji } from '../lib/datasets/emoji.mjs';

const NAME = 'virtual:emoji-test-images';
const LEVELS = 32;

/**
 * Gives the page the emoji's test images as text: browsers do not unpack Brotli by themselves, and the page needs a tenth of the file only.
 *
 * @returns {import('vite').Plugin} of the module `virtual:emoji-test-images`, whose default export is base64 of levels, a byte each
 */
export function emojiTestImages() {
  return {
    name: 'emoji-test-images',
    resolveId: (id) => (id === NAME ? `\0${NAME}` : null),
    async load(id) {
      if (id !== `\0${NAME}`) return null;
      const { test } = await emoji();
      const base64 = Buffer.from(quantize(test, LEVELS).data).toString('base64');
      return `export default ${JSON.stringify(base64)};`;
    },
  };
}
