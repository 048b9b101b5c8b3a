import { readFile } from 'node:fs/promises';
import { readPortable } from 'pixelcnn-layers/runtime';

/** A model that comes with the repository. */
export const shippedModel = async (name: string) =>
  readPortable(await readFile(new URL(`../../../examples/models/${name}.pixelcnn`, import.meta.url)));

/** The levels of the test images that come with the page, one image after the other. */
export const shippedImages = async (set: string) =>
  new Uint8Array(await readFile(new URL(`../../../kit/data/sets/${set}-test-images.u8`, import.meta.url)));
