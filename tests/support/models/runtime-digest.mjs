import { portableModel } from './portable-model.mjs';

/**
 * Draws, scores, compresses and steps, on one thread and by a pool of two workers: a digest of all bits, the same in every
 * engine. Throws where the pool's bits are not those of one thread.
 *
 * @param {typeof import('pixelcnn-layers/runtime')} runtime
 * @param {import('pixelcnn-layers/runtime').PoolOptions} [poolOptions]
 * @returns {Promise<string>}
 */
export async function runtimeDigest(runtime, poolOptions) {
  const made = portableModel({ imageShape: [7, 6, 2], levels: 6, numClasses: 3 });
  const model = runtime.readPortable(runtime.writePortable(made));
  const pool = runtime.createPool({ workers: 2, ...poolOptions });
  const all = [];
  for (const one of [runtime, pool]) {
    const drawing = { numImages: 40, seed: 3, condition: 1, temperature: 0.9, topP: 0.95 };
    const images = await one.sample(model, drawing);
    const nats = await one.logProb(model, images, { condition: 1, perValue: true });
    const file = await one.compress(model, images, { condition: 1, storeCondition: true });
    const same = await one.decompress(model, file);
    all.push([images.data, nats, file, same.data]);
  }
  const [alone, together] = all.map(digestOf);
  if (alone !== together) throw new Error(`the pool made ${together}, one thread ${alone}`);
  const steps = runtime.stepper(model, { numImages: 2, condition: 2 });
  for (let level = 0; steps.place !== null; level = (level + 1) % 6) {
    all.push([steps.logProbs().slice()]);
    steps.put([level, 5 - level]);
  }
  steps.dispose();
  return digestOf(all.flat());
}

/** FNV-1a of the bytes of some arrays. */
function digestOf(arrays) {
  let hash = 0x811c9dc5;
  for (const { buffer, byteOffset, byteLength } of arrays) {
    for (const byte of new Uint8Array(buffer, byteOffset, byteLength)) {
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
  }
  return (hash >>> 0).toString(16);
}
