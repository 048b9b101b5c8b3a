import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, LayerVariable } from '@tensorflow/tfjs-layers';
import { assignWeight, isWeightDisposed } from '../models/tfjs-workarounds';
import { type Given, optional, rate, readArguments } from '../runtime/core/arguments';
import { checkInteger, throwTypeError } from '../runtime/core/check';

const declared = {
  /** The fraction of the average that is kept at each step, in [0, 1). @default 0.9995 */
  decay: optional(rate(), 0.9995),
};

/** Options of {@link WeightAverage}. */
export interface WeightAverageOptions extends Given<typeof declared> {}

/**
 * An exponential moving average of a model's trainable weights, which often make a better model than the last
 * weights. In the first steps the average forgets faster: at step t it keeps min(decay, (1 + t) / (10 + t)).
 *
 * Source: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging" (1992); Salimans et al.,
 * "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, section 3, use 0.9995.
 *
 * @throws TypeError if `decay` is not in [0, 1), or the step given to `update` is not an integer of at least 0
 * @example
 * ```js
 * import { logProb, pixelCNN, sample, WeightAverage } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 4, hiddenDim: 4, outDim: 4, numBlocks: 1 });
 * const average = new WeightAverage(model, { decay: 0.999 });
 * for (let step = 0; step < 3; step++) average.update(step); // after each step of training
 * const images = await average.use(() => sample(model, { seed: 1 })); // the model has the averages meanwhile
 * console.log(images.shape); // [1, 4, 4, 1]
 * average.dispose();
 * ```
 */
export class WeightAverage {
  /** The averages of all weights that are trainable at construction, even if their layer is frozen later. */
  private readonly pairs: readonly { weight: LayerVariable; average: tf.Variable }[];
  private readonly decay: number;
  private isInUse = false;

  constructor(model: LayersModel, options: WeightAverageOptions = {}) {
    this.decay = readArguments('WeightAverage', options, declared).decay;
    this.pairs = model.trainableWeights.map((weight) => {
      return { weight, average: tf.variable(weight.read(), false) };
    });
  }

  /** The pairs without the weights of disposed layers. */
  private get current() {
    return this.pairs.filter(({ weight }) => !isWeightDisposed(weight));
  }

  /** Adds the weights after a step, counted from 0, to the average. */
  update(step: number): void {
    const kept = Math.min(this.decay, (1 + checkInteger('WeightAverage: step', step, 0)) / (10 + step));
    tf.tidy(() => {
      for (const { weight, average } of this.current)
        average.assign(tf.add(average, tf.mul(tf.sub(weight.read(), average), 1 - kept)));
    });
  }

  /**
   * Runs a task while the model has the averages as its weights, whatever its constraints, and restores its own weights
   * afterwards, even if the task fails. The task may dispose the model, but not train it. Rejects while another task is still running.
   */
  async use<T>(task: () => T | Promise<T>): Promise<T> {
    if (this.isInUse) throw new Error('WeightAverage: use: another task is still running');
    this.isInUse = true;
    const pairs = this.current;
    const own = tf.tidy(() => pairs.map(({ weight }) => weight.read().clone()));
    try {
      for (const { weight, average } of pairs) assignWeight(weight, average);
      return await task();
    } finally {
      for (const [i, { weight }] of pairs.entries()) {
        if (!isWeightDisposed(weight)) assignWeight(weight, own[i] as tf.Tensor);
      }
      tf.dispose(own);
      this.isInUse = false;
    }
  }

  /** Loads the averages from a model that was saved while it had them. Throws a TypeError if it has other weights. */
  restore(saved: LayersModel): void {
    const weights = saved.trainableWeights.map((weight) => weight.read());
    const averages = this.pairs.map(({ average }) => average);
    const shapes = (tensors: readonly tf.Tensor[]) => tensors.map(({ shape }) => `[${shape}]`).join(' ');
    if (shapes(weights) !== shapes(averages))
      throwTypeError('WeightAverage: saved', `weights ${shapes(averages)}`, shapes(weights));
    for (const [i, average] of averages.entries()) average.assign(weights[i] as tf.Tensor);
  }

  /** Releases all memory. */
  dispose(): void {
    for (const { average } of this.pairs) average.dispose();
  }
}
