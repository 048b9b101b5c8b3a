import * as tf from '@tensorflow/tfjs-core';
import { ADAM } from '../runtime/kernels/modules';
import { kernelsInUse, outputs, wasmKernel } from './wasm-kernels';

/** A mean of gradients, or of their squares, that Adam keeps for a weight. */
interface Mean {
  readonly originalName: string;
  readonly variable: tf.Variable;
}

/** The fields of tfjs's Adam that a step reads. */
interface Adam {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly accBeta1: tf.Variable;
  readonly accBeta2: tf.Variable;
  readonly accumulatedFirstMoment: Mean[];
  readonly accumulatedSecondMoment: Mean[];
}

type Inputs = Readonly<
  Record<'gradient' | 'value' | 'first' | 'second' | 'accBeta1' | 'accBeta2', tf.Tensor>
>;

const wasmStep = wasmKernel(
  'PixelCNNAdam',
  [ADAM],
  (loops, { gradient, value, first, second, accBeta1, accBeta2 }: Inputs, adam: Adam) => {
    const { beta1, beta2, epsilon, learningRate } = adam;
    const { shape, size } = value;
    const numbers = [size, beta1, 1 - beta1, beta2, 1 - beta2, epsilon, -learningRate] as const;
    const tensors = [gradient, value, first, second, accBeta1, accBeta2] as const;
    return outputs([shape, shape, shape], loops.adam, tensors, numbers);
  },
);

type Gradients = Parameters<tf.AdamOptimizer['applyGradients']>[0];

let isFused = false;

/** A mean before the first step: zeros, as tfjs makes it. */
function zeroMean(originalName: string, value: tf.Tensor): Mean {
  return { originalName, variable: tf.tidy(() => tf.variable(tf.zerosLike(value), false)) };
}

/**
 * Makes every Adam take its steps in one pass while our kernels are in use: tfjs takes 13, gives the same bits, and keeps as many
 * tensors for each weight until the last weight is updated.
 *
 * Source: Kingma, Ba, "Adam: a method for stochastic optimization" (2014), https://arxiv.org/abs/1412.6980, algorithm 1.
 */
export function fuseAdam(): void {
  if (isFused) return;
  isFused = true;
  const { prototype } = tf.AdamOptimizer;
  const { applyGradients } = prototype;
  prototype.applyGradients = function (gradients: Gradients) {
    const adam = this as unknown as Adam;
    if (!kernelsInUse() || !Array.isArray(gradients)) return applyGradients.call(this, gradients);
    const { accumulatedFirstMoment: firsts, accumulatedSecondMoment: seconds } = adam;
    const steps = gradients.map(({ name, tensor }, i) => {
      const value = tf.engine().registeredVariables[name];
      if (value) {
        firsts[i] ??= zeroMean(`${name}/m`, value);
        seconds[i] ??= zeroMean(`${name}/v`, value);
      }
      const [first, second] = [firsts[i]?.variable, seconds[i]?.variable];
      return { gradient: tensor as tf.Tensor | null, value, first, second };
    });
    const isReady = steps.every(({ value, first, second, gradient }) =>
      [first, second, gradient ?? value].every(
        (tensor) => tensor?.dtype === 'float32' && tf.util.arraysEqual(tensor.shape, value?.shape ?? []),
      ),
    );
    if (!isReady) return applyGradients.call(this, gradients);
    for (const { gradient, ...variables } of steps) {
      if (gradient == null) continue;
      const { accBeta1, accBeta2 } = adam;
      const inputs = { gradient, ...variables, accBeta1, accBeta2 } as Inputs;
      const results: tf.Tensor[] = wasmStep(inputs, adam);
      for (const [k, variable] of Object.values(variables).entries())
        variable?.assign(results[k] as tf.Tensor);
      tf.dispose(results);
    }
    applyGradients.call(this, []); // counts the step
  };
}
