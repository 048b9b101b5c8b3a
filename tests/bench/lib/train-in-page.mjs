import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { kernelsInUse } from 'pixelcnn-layers';
import { compiled, ours, randomBatch, shapes } from './networks.mjs';

const NETWORKS = ['digits 8x8x1, 17 levels, hidden 16, 3 blocks', '28x28x1, 16 levels, hidden 16, 5 blocks'];

/**
 * Trains networks on the wasm backend of this page, so many steps, and tells which of tfjs's binaries it is by, whether the library's own kernels
 * run, and what each step took, in milliseconds.
 *
 * @param {{ hasThreads: boolean, hasKernels: boolean }} way
 * @param {number} count
 */
export async function train({ hasThreads, hasKernels }, count) {
  tf.enableProdMode();
  if (!hasThreads) tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  tf.env().set('PIXELCNN_WASM_KERNELS', hasKernels);
  setWasmPaths('/');
  await tf.setBackend('wasm');
  const steps = {};
  for (const name of NETWORKS) {
    const model = compiled(ours({ ...shapes[name], seed: 1 }));
    const { xs, labels } = randomBatch(shapes[name], 16);
    for (let i = 0; i < 3; i++) await model.trainOnBatch(xs, labels);
    steps[name] = [];
    for (let i = 0; i < count; i++) {
      const start = performance.now();
      await model.trainOnBatch(xs, labels);
      steps[name].push(performance.now() - start);
    }
    tf.dispose([xs, labels]);
    model.dispose();
  }
  const binaries = performance.getEntriesByType('resource').map(({ name }) => name);
  const binary = binaries
    .find((name) => name.endsWith('.wasm'))
    ?.split('/')
    .at(-1);
  return { isIsolated: crossOriginIsolated, binary, kernels: kernelsInUse(), steps };
}
