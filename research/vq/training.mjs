import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { scheduleLearningRate } from 'pixelcnn-layers';
import { fileSystem } from 'pixelcnn-layers/node';
import { checkWeights } from '../../kit/models/evaluation.mjs';
import { checkpoints } from '../../kit/runs/checkpoints.mjs';
import { trainingProgress } from '../../kit/runs/progress.mjs';
import { restorePowers, saveWithOptimizer } from './adam.mjs';

/** The highest learning rate. */
export const RATE = 1e-3;
/** Steps over which the learning rate rises. */
const RISE = 50;
const SMOOTHING = 0.98; // of the loss that is shown: about the last 50 steps

/**
 * Trains a model, or continues exactly where training stopped. The learning rate rises at first, and then
 * falls towards 0.
 *
 * @typedef {import('@tensorflow/tfjs-layers').LayersModel} LayersModel
 * @typedef {(step: number) => Promise<number>} TrainStep does a step, and gives its loss
 *
 * @param {object} args
 * @param {string} args.directory of its checkpoints
 * @param {number} args.steps
 * @param {number} args.every saves each so many steps
 * @param {string} args.unit of the loss
 * @param {AbortSignal} args.signal ends training after the current step, and saves
 * @param {() => LayersModel} args.create the model that a new run begins with, compiled with an `adam`
 * @param {(model: LayersModel, firstStep: number) => TrainStep | Promise<TrainStep>} args.begin
 * @returns {Promise<{ model: LayersModel, isDone: boolean }>}
 */
export async function train({ directory, steps, every, unit, signal, create, begin }) {
  const kept = checkpoints(directory);
  const from = await kept.latest();
  const model = from ? await loadLayersModel(fileSystem(join(from.directory, 'model'))) : create();
  let { step, state: smoothed } = from ?? { step: 0, state: 0 };
  if (from) restorePowers(model.optimizer);
  if (from) console.log(step < steps ? `continues after step ${step}` : `is trained: ${steps} steps`);
  if (step === steps) return { model, isDone: true };

  const share = (step) => Math.min(1, (step + 1) / RISE) * (1 - step / steps);
  const schedule = scheduleLearningRate(model.optimizer, (step) => RATE * share(step));
  const doStep = await begin(model, step);
  const progress = trainingProgress(steps, step, unit);
  while (step < steps && !signal.aborted) {
    schedule.beforeStep();
    const loss = await doStep(step);
    if (!Number.isFinite(loss)) throw new Error(`step ${step + 1}: the loss is ${loss}`);
    step += 1;
    smoothed = SMOOTHING * smoothed + (1 - SMOOTHING) * loss;
    progress.update(step, smoothed / (1 - SMOOTHING ** step)); // an average even after few steps
    if (step % every === 0 || step === steps || signal.aborted) {
      await checkWeights(model);
      const write = (place) => saveWithOptimizer(model, fileSystem(join(place, 'model')));
      await kept.save(step, smoothed, write);
    }
    await setImmediate(); // lets Ctrl-C and the progress line in
  }
  progress.stop();
  return { model, isDone: step === steps };
}
