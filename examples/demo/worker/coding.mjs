import { compress, decompress } from 'pixelcnn-layers/runtime';
import { shippedModel } from './models.mjs';

/**
 * The file of one image.
 *
 * @param {import('./protocol.mjs').CompressJob} job
 * @param {import('./protocol.mjs').Context} context
 */
export async function compressImage({ model: name, levels, condition }, { signal }) {
  const model = await shippedModel(name);
  const given = condition === undefined ? {} : { condition, storeCondition: true };
  const bytes = await compress(
    model,
    { data: levels, shape: [1, ...model.imageShape] },
    { signal, ...given },
  );
  return { bytes };
}

/**
 * The image of a file.
 *
 * @param {import('./protocol.mjs').DecompressJob} job
 * @param {import('./protocol.mjs').Context} context
 */
export async function decompressImage({ model: name, bytes }, { signal }) {
  const { data, shape } = await decompress(await shippedModel(name), bytes, { signal });
  return { levels: data, numImages: shape[0] };
}
