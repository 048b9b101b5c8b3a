import { compress, decompress } from 'pixelcnn-layers/runtime';
import { conditionOf, shippedModel } from './models.mjs';

/**
 * The file of one image.
 *
 * @param {import('./protocol.mjs').CompressJob} job
 * @param {import('./protocol.mjs').Context} context
 */
export async function compressImage({ model: name, levels, condition }, { signal }) {
  const model = await shippedModel(name);
  const storeCondition = model.conditions[0]?.kind === 'class'; // a vector would be most of the file
  const bytes = await compress(
    model,
    { data: levels, shape: [1, ...model.imageShape] },
    { signal, storeCondition, ...conditionOf(model, condition) },
  );
  return { bytes };
}

/**
 * The image of a file.
 *
 * @param {import('./protocol.mjs').DecompressJob} job
 * @param {import('./protocol.mjs').Context} context
 */
export async function decompressImage({ model: name, bytes, condition }, { signal }) {
  const model = await shippedModel(name);
  const given = model.conditions[0]?.kind === 'vector' ? conditionOf(model, condition) : {};
  const { data, shape } = await decompress(model, bytes, { signal, ...given });
  return { levels: data, numImages: shape[0] };
}
