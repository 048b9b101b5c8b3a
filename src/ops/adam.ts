import * as tf from '@tensorflow/tfjs-core';
import { ADAM } from '../runtime/kernels/modules';
import { kernelsInUse, outputs, wasmKernel } from './wasm-kernels';

/** The fields of tfjs's Adam that a step reads. */
interface Adam {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly accBeta1: tf.Variable;
  readonly accBeta2: tf.Variable;
  readonly accumulatedFirstMoment: readonly { readonly variable: tf.Variable }[];
  readonly accumulatedSecondMoment: readonly { readonly variable: tf.Variable }[];
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

/**
 * Makes every Adam take its steps in one pass while our kernels are in use: tfjs takes 13, and gives the same bits.
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
    const steps = gradients.map(({ name, tensor }, i) => ({
      gradient: tensor as tf.Tensor | null,
      value: tf.engine().registeredVariables[name],
      first: adam.accumulatedFirstMoment[i]?.variable, // undefined before the first step, in which tfjs makes it
      second: adam.accumulatedSecondMoment[i]?.variable,
    }));
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
