import { imageSet, sliceImages } from 'pixelcnn-layers/data';
import { unpackBits } from './bits.mjs';
import { readFile } from './files.mjs';
import { TEST_IMAGES } from './training-sets.mjs';

const URLS = {
  digits: [
    new URL('../../kit/data/sets/digits-train-images.u8', import.meta.url),
    new URL('../../kit/data/sets/digits-test-images.u8', import.meta.url),
  ],
  syllables: [
    new URL('../../kit/data/sets/syllables-16-train.bits', import.meta.url),
    new URL('../../kit/data/sets/syllables-16-test.bits', import.meta.url),
  ],
};

/**
 * Training and test images of a set; of the visitor's drawings, all train.
 *
 * @param {import('./protocol.mjs').RunSettings} settings
 * @param {Uint8Array | null} drawings
 */
export async function readSet({ set, shape, levels }, drawings) {
  const setOf = (data) => imageSet({ data, shape: [data.length / (shape[0] * shape[1]), ...shape], levels });
  if (drawings !== null) return [setOf(drawings)];
  const [train, test] = await Promise.all(
    URLS[set].map(async (url) => {
      const bytes = new Uint8Array(await (await readFile(url)).arrayBuffer());
      return setOf(levels === 2 ? unpackBits(bytes) : bytes);
    }),
  );
  return [train, sliceImages(test, 0, TEST_IMAGES)];
}
