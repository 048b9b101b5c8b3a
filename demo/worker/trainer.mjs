import { getBackend } from '@tensorflow/tfjs-core';
import { createTrainer } from 'pixelcnn-layers';

/**
 * A step of the page's networks takes a few milliseconds, and what workers send each other costs as much: on two cores, one
 * alone learns no less in the same time, whatever the size of batches and the number of their parts.
 */
const FEWEST_CORES = 4;
const MOST_CORES = 8; // of a batch, each has at least four images

/**
 * Trains a model, on all cores where that pays: alone at first, with workers once they are there. Where they cannot start, it
 * goes on alone.
 *
 * @param {import('pixelcnn-layers').AutoregressiveModel} model
 * @param {number} cores of the machine
 */
export function trainerOf(model, cores) {
  const pays = cores >= FEWEST_CORES && getBackend() === 'wasm'; // workers use no graphics card
  const workers = Math.min(cores, MOST_CORES);
  let trainer = null;
  const starting = pays ? start(model, workers).catch(() => null) : Promise.resolve(null);
  starting.then((started) => {
    trainer = started;
  });
  return {
    batchSize: pays ? 32 : 16,
    /** How many train at the moment. */
    get cores() {
      return trainer === null ? 1 : workers;
    },
    trainOnBatch: (xs, ys) => (trainer ?? model).trainOnBatch(xs, ys),
    /** Does not wait for workers that have not started yet. */
    dispose() {
      starting.then((started) => started?.dispose());
    },
  };
}

async function start(model, workers) {
  const { wasmPaths } = await import('../../examples/vite/wasm.mjs');
  return createTrainer(model, {
    workers,
    shards: workers,
    wasmPaths,
    createWorker: () =>
      new Worker(new URL('pixelcnn-layers/train-worker', import.meta.url), { type: 'module' }),
  });
}
