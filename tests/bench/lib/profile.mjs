import { performance } from 'node:perf_hooks';
import * as tf from '@tensorflow/tfjs-core';

/**
 * Where the time of a training step goes on the present backend, whose kernels return when they are done: our kernels,
 * other operations, the optimizer with its operations, and the rest, which is the tape and what JavaScript does around it.
 *
 * @param {tf.LayersModel} model compiled
 * @param {() => Promise<unknown>} step
 * @returns {Promise<{ convolutions: number, operations: number, optimizer: number, rest: number, slowest: string[] }>} milliseconds a step
 */
export async function profileStep(model, step, steps = 30) {
  const backendName = tf.getBackend();
  const times = new Map();
  let depth = 0;
  let isOptimizing = false;
  const timed = (name, run) => {
    if (depth > 0 || isOptimizing) return run();
    depth++;
    const before = performance.now();
    try {
      return run();
    } finally {
      depth--;
      times.set(name, (times.get(name) ?? 0) + performance.now() - before);
    }
  };
  const kernels = tf.getKernelsForBackend(backendName);
  const replace = (wrap) => {
    for (const kernel of kernels) {
      tf.unregisterKernel(kernel.kernelName, backendName);
      tf.registerKernel({ ...kernel, kernelFunc: wrap(kernel), setupFunc: undefined, disposeFunc: undefined });
    }
  };
  const { optimizer } = model;
  const apply = optimizer.applyGradients;
  for (let i = 0; i < 5; i++) await step();
  replace(
    ({ kernelName, kernelFunc }) =>
      (args) =>
        timed(kernelName, () => kernelFunc(args)),
  );
  let optimizing = 0;
  optimizer.applyGradients = (gradients) => {
    const before = performance.now();
    isOptimizing = true;
    apply.call(optimizer, gradients);
    isOptimizing = false;
    optimizing += performance.now() - before;
  };
  const begin = performance.now();
  try {
    for (let i = 0; i < steps; i++) await step();
  } finally {
    delete optimizer.applyGradients;
    replace(({ kernelFunc }) => kernelFunc);
  }
  const total = (performance.now() - begin) / steps;
  const sum = (isOurs) => [...times].reduce((ms, [name, time]) => (name.startsWith('PixelCNN') === isOurs ? ms + time / steps : ms), 0);
  const [convolutions, operations, optimizer_] = [sum(true), sum(false), optimizing / steps];
  return {
    convolutions,
    operations,
    optimizer: optimizer_,
    rest: total - convolutions - operations - optimizer_,
    slowest: [...times]
      .filter(([name]) => !name.startsWith('PixelCNN'))
      .sort(([, a], [, b]) => b - a)
      .slice(0, 6)
      .map(([name, time]) => `${name} ${(time / steps).toFixed(2)}`),
  };
}
