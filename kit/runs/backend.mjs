import { existsSync } from 'node:fs';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';

/** The package that registers each backend when it is imported. */
const PACKAGES = {
  wasm: '@tensorflow/tfjs-backend-wasm',
  cpu: '@tensorflow/tfjs-backend-cpu',
  webgpu: '@tensorflow/tfjs-backend-webgpu',
  tensorflow: '@tensorflow/tfjs-node',
};

/**
 * tfjs-node as built by `npm run build:tfjs-node`; if that is missing or incomplete, the installed package is used.
 */
const BUILT = new URL('../../.tfjs-node/', import.meta.url);
const isBuilt = () => existsSync(new URL('built.json', BUILT));
const TFJS_NODE = new URL('node_modules/@tensorflow/tfjs-node/dist/index.js', BUILT);

/** The names that {@link useBackend} takes. */
export const BACKENDS = Object.keys(PACKAGES);

/**
 * Makes tfjs use a backend. Only its package is loaded, so the others need not be installed.
 *
 * @param {string} name one of {@link BACKENDS}
 * @returns {Promise<void>}
 */
export async function useBackend(name) {
  const wanted = PACKAGES[name];
  if (wanted === undefined) throw new Error(`--backend: wanted ${BACKENDS.join(', ')}, got '${name}'`);
  if (name === 'webgpu' && globalThis.navigator?.gpu === undefined) {
    throw new Error("--backend: 'webgpu' needs WebGPU in Node: see kit/node-webgpu/README.md");
  }
  tf.enableProdMode(); // keeps tfjs from advertising tfjs-node whenever the cpu backend runs in Node
  if (name === 'tensorflow') {
    // tfjs-node calls these, which Node 22 warns about, and of which Node 23 lacks isNullOrUndefined.
    Object.assign(util, { isNullOrUndefined: (x) => x === null || x === undefined, isArray: Array.isArray });
    process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'; // otherwise TensorFlow reports the processor's features
  }
  try {
    await import(name === 'tensorflow' && isBuilt() ? TFJS_NODE.href : wanted);
  } catch (error) {
    const isMissing = error.code === 'ERR_MODULE_NOT_FOUND' && error.message.includes(wanted);
    const [reason] = error.message.split('\n'); // native packages print a page
    const other = name === 'tensorflow' ? ', or npm run build:tfjs-node' : '';
    const why = isMissing
      ? `is not installed: npm install --no-save ${wanted}${other}`
      : `fails: ${reason.trim()}`;
    throw new Error(`--backend: '${name}' needs ${wanted}, which ${why}`, { cause: error });
  }
  const isReady = await tf.setBackend(name);
  if (!isReady) throw new Error(`--backend: '${name}' does not start on this machine`);
  await tf.ready();
}
