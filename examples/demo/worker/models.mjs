import { readPortable } from 'pixelcnn-layers/runtime';
import { readFile } from './files.mjs';

/** Addresses of the files of the models that the page brings along. */
const FILES = {
  clothes: new URL('../../models/clothes.pixelcnn', import.meta.url),
  'clothes-background': new URL('../../models/clothes-background.pixelcnn', import.meta.url),
  'digits-28': new URL('../../models/digits-28.pixelcnn', import.meta.url),
  'digits-28-background': new URL('../../models/digits-28-background.pixelcnn', import.meta.url),
  'binarized-mnist': new URL('../../models/binarized-mnist.pixelcnn', import.meta.url),
  'digits-conditional': new URL('../../models/digits-conditional.pixelcnn', import.meta.url),
  'digits-orders': new URL('../../models/digits-orders.pixelcnn', import.meta.url),
  'emoji-32': new URL('../../models/emoji-32.pixelcnn', import.meta.url),
  tiles: new URL('../../models/tiles.pixelcnn', import.meta.url),
  'magnet-1.5': new URL('../../models/magnet-1.5.pixelcnn', import.meta.url),
  'magnet-1.8': new URL('../../models/magnet-1.8.pixelcnn', import.meta.url),
  'magnet-2.1': new URL('../../models/magnet-2.1.pixelcnn', import.meta.url),
  'magnet-2.27': new URL('../../models/magnet-2.27.pixelcnn', import.meta.url),
  'magnet-2.5': new URL('../../models/magnet-2.5.pixelcnn', import.meta.url),
  'magnet-2.8': new URL('../../models/magnet-2.8.pixelcnn', import.meta.url),
  'magnet-3.3': new URL('../../models/magnet-3.3.pixelcnn', import.meta.url),
  'magnet-4': new URL('../../models/magnet-4.pixelcnn', import.meta.url),
};

/** @type {Map<string, Promise<import('pixelcnn-layers/runtime').PortableModel>>} */
const loaded = new Map();

/**
 * A model that the page brings along; loaded once.
 *
 * @param {import('./protocol.mjs').ModelName | `${string}-background` | 'digits-orders' | 'tiles' | `magnet-${number}`} name
 */
export function shippedModel(name) {
  if (!loaded.has(name)) {
    const model = load(name);
    loaded.set(name, model);
    model.catch(() => loaded.delete(name)); // to try again
  }
  return loaded.get(name);
}

async function load(name) {
  return readPortable(new Uint8Array(await (await readFile(FILES[name])).arrayBuffer()));
}
