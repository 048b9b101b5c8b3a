import { sizeOf } from '../catalogue.mjs';
import { TRAINING_SAMPLES } from '../worker/protocol.mjs';

/**
 * The run that record-training.mjs has recorded.
 *
 * @returns {Promise<import('./run-view.mjs').Run>}
 */
export async function recordedRun() {
  const response = await fetch(new URL('../recorded-training.bits', import.meta.url));
  if (!response.ok) throw new Error('The recorded run is not there.');
  const whole = new Response(response.body.pipeThrough(new DecompressionStream('gzip')));
  const bytes = new Uint8Array(await whole.arrayBuffer());
  const end = bytes.indexOf(10); // of the line of JSON
  const { steps, ...run } = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
  const size = TRAINING_SAMPLES * sizeOf(run.shape);
  const samples = (k) => bytes.subarray(end + 1 + k * size, end + 1 + (k + 1) * size);
  const { length } = run.networks;
  const frames = steps.map((step, i) => ({
    step,
    levels: run.networks.map((_, k) => samples(i * length + k)),
  }));
  return { ...run, frames };
}
