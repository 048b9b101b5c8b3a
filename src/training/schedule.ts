import type { Optimizer } from '@tensorflow/tfjs-core';
import { type Given, number, optional, positive, readArguments } from '../runtime/core/arguments';
import { checkFunction, checkNumber, throwTypeError } from '../runtime/core/check';

/** The learning rate of each step, counted from 0. */
export type Schedule = (step: number) => number;

const factor = number('in (0, 1]', (x) => x > 0 && x <= 1);

const declared = {
  /** The learning rate of step 0. @default 1e-3 */
  initial: optional(positive(), 1e-3),
  /** The factor from step to step, in (0, 1]. @default 0.999995 */
  decay: optional(factor, 0.999995),
};

/** Arguments of {@link exponentialDecay}. */
export interface ExponentialDecayArgs extends Given<typeof declared> {}

/**
 * Makes the schedule initial * decay^step, by default as in "The Annotated Pixel-CNN", section "Training".
 *
 * @throws TypeError if `initial` is not positive, or `decay` not in (0, 1]
 * @example
 * ```js
 * import { exponentialDecay } from 'pixelcnn-layers';
 * const rate = exponentialDecay({ initial: 0.1, decay: 0.5 });
 * console.log(rate(0), rate(2)); // 0.1 0.025
 * ```
 */
export function exponentialDecay(args: ExponentialDecayArgs = {}): Schedule {
  const { initial, decay } = readArguments('exponentialDecay', args, declared);
  return (step) => initial * decay ** step;
}

/** Callbacks for `fit` and `fitDataset`. In your own training loop, call `beforeStep`. */
export interface LearningRateSchedule {
  /** Sets the learning rate of the next step. */
  beforeStep(): void;
  /** `beforeStep` as a callback of tfjs. */
  onBatchBegin(): Promise<void>;
}

/**
 * Makes an optimizer follow a schedule, by the optimizer's own count of steps, so a model saved with its
 * optimizer continues the schedule: `fit(x, y, { callbacks: scheduleLearningRate(optimizer, schedule) })`.
 *
 * @throws TypeError if the optimizer has no learning rate, or the schedule is not a function that returns numbers
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { exponentialDecay, scheduleLearningRate } from 'pixelcnn-layers';
 * const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-7);
 * const schedule = scheduleLearningRate(optimizer, exponentialDecay());
 * schedule.beforeStep(); // then model.trainOnBatch(...)
 * console.log(optimizer.getConfig().learningRate); // 0.001
 * ```
 */
export function scheduleLearningRate(optimizer: Optimizer, schedule: Schedule): LearningRateSchedule {
  checkFunction('scheduleLearningRate: schedule', schedule);
  const rated = optimizer as Optimizer & { learningRate?: number; setLearningRate?: (rate: number) => void };
  if (typeof rated?.learningRate !== 'number')
    throwTypeError('scheduleLearningRate: optimizer', 'an optimizer with a learning rate', optimizer);
  const beforeStep = () => {
    const rate = schedule(optimizer.iterations);
    checkNumber('scheduleLearningRate: learning rate', rate, 'of at least 0', (x) => x >= 0);
    if (typeof rated.setLearningRate !== 'function') rated.learningRate = rate;
    else rated.setLearningRate(rate); // SGD and momentum keep it in a tensor
  };
  return { beforeStep, onBatchBegin: async () => beforeStep() };
}
