import { readFile } from 'node:fs/promises';
import { loadPortable } from 'pixelcnn-layers/runtime';
import { type ModelName, modelURL } from 'pixelcnn-models';

/** A model that comes with the repository. */
export const shippedModel = (name: string) => loadPortable(modelURL(name as ModelName));

/** The levels of the test images that come with the page, one image after the other. */
export const shippedImages = async (set: string) =>
  new Uint8Array(await readFile(new URL(`../../../kit/data/sets/${set}-test-images.u8`, import.meta.url)));
