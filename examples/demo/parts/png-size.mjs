/**
 * How many bytes the smallest PNG of an image has that OxiPNG finds; null where that cannot be loaded.
 *
 * @param {import('./worker-client.mjs').Client} client
 * @param {{ shape: [number, number, number], numLevels: number, levels: Uint8Array }} image
 * @param {AbortSignal} signal
 * @returns {Promise<number | null>}
 */
export async function pngSize(client, image, signal) {
  try {
    const { bytes } = await client.run({ kind: 'png', ...image }, { signal });
    return bytes.length;
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  }
}
