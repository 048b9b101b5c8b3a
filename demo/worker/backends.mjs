import * as tf from '@tensorflow/tfjs-core';

/** Each backend registers itself when it is imported; only the one asked for is loaded. */
const BACKENDS = {
  wasm: () => import('../../examples/vite/wasm.mjs'),
  cpu: () => import('@tensorflow/tfjs-backend-cpu'),
  webgl: () => import('@tensorflow/tfjs-backend-webgl'),
  webgpu: () => import('@tensorflow/tfjs-backend-webgpu'),
};

/** @param {import('./protocol.mjs').Backend} name */
export async function useBackend(name) {
  if (tf.findBackendFactory(name) !== undefined && tf.getBackend() === name) return;
  await BACKENDS[name]().catch((error) => {
    throw new Error(`The backend ${name} could not be loaded: ${error.message}`);
  });
  const isReady = tf.findBackendFactory(name) != null && (await tf.setBackend(name));
  if (!isReady) throw new Error(`The backend ${name} does not start in this browser.`);
}

/** None before a backend has started: asking would start one. */
export const tensorCount = () => (tf.getBackend() ? tf.memory().numTensors : 0);
