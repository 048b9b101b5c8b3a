/**
 * How many bytes the smallest PNG of an image has that OxiPNG finds; null where that cannot be loaded.
 *
 * @param {import('./worker-client.mjs').Client} client
 * @param {import('./pictures.mjs').Kind} kind
 * @param {Uint8Array} levels of the image
 * @param {AbortSignal} signal
 * @returns {Promise<number | null>}
 */
export async function pngSize(client, { shape, levels: numLevels }, levels, signal) {
  try {
    const { bytes } = await client.run({ kind: 'png', shape, numLevels, levels }, { signal });
    return bytes.length;
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  }
}
