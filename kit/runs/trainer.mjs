import { availableParallelism } from 'node:os';
import { createTrainer } from 'pixelcnn-layers';
import { stop } from '../flags.mjs';

/** Into how many parts a batch is cut: at most eight, of about four images, since each part costs some time of its own. */
const partsOf = (batch) => Math.min(8, Math.ceil(batch / 4));

/**
 * On how many worker threads a model trains: on wasm as many as were asked for, or one for each core that has a part to
 * compute; on other backends none, and asking for some ends the program.
 *
 * @param {number | undefined} wanted what `--workers` says
 * @param {{ backend: string, batch: number }} run
 */
export function workersFor(wanted, { backend, batch }) {
  if (backend === 'wasm') return wanted ?? Math.min(partsOf(batch), availableParallelism());
  return wanted === undefined ? 0 : stop(`--workers: comes with --backend wasm, got '${backend}'`);
}

/** What a program prints of its workers, after the backend. */
export const workersText = (workers) =>
  workers === 0 ? '' : `, ${workers} ${workers === 1 ? 'worker' : 'workers'}`;

/**
 * What does a compiled model's steps: a trainer, or without workers the model itself. One worker has a trainer too, since
 * results depend on the parts that it cuts a batch into, and so are the same for any number of workers.
 *
 * @param {import('pixelcnn-layers').AutoregressiveModel} model
 * @param {number} workers
 * @param {number} batch
 * @returns {Promise<Pick<import('pixelcnn-layers').Trainer, 'trainOnBatch' | 'dispose'>>}
 */
export async function startTrainer(model, workers, batch) {
  if (workers > 0) return createTrainer(model, { workers, shards: partsOf(batch) });
  return { trainOnBatch: (...batch) => model.trainOnBatch(...batch), async dispose() {} };
}
