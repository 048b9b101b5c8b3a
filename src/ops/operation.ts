import * as tf from '@tensorflow/tfjs-core';
import type { WasmModule } from '../runtime/kernels/modules';
import { kernelsInUse, wasmKernel } from './wasm-kernels';

/** Tensors by name; undefined ones are ignored. */
type Tensors<Names> = { readonly [Name in keyof Names]: tf.Tensor | undefined };

/** One way to compute an operation and its gradients. */
export interface Implementation<Inputs, Attributes, Saved, Output> {
  /** Returns the output, and the tensors that `gradients` needs, which stay in memory until then. */
  forward(inputs: Inputs, attributes: Attributes): { y: Output; saved: Saved };
  gradients(dy: Output, saved: Saved, attributes: Attributes): Gradients<Inputs>;
}

/** Gradients by the input's name. Functions compute them on demand, so the gradient of an image usually never is. */
export type Gradients<Inputs> = { readonly [Name in keyof Inputs]?: Gradient };
type Gradient = tf.Tensor | (() => tf.Tensor);

export const computed = (gradient: Gradient) => (typeof gradient === 'function' ? gradient() : gradient);

interface Definition<Inputs, Attributes, Saved, Output> {
  /** The name under which tfjs profiles it. */
  name: string;
  /** Composed of tfjs's operations, for every backend. Its gradients are differentiable. */
  composed: Implementation<Inputs, Attributes, Saved, Output>;
  /** Used if inputs are float32 and constants int32. @default none */
  wasmImplementation?: Implementation<Inputs, Attributes, Saved, Output>;
  /**
   * Replaces `composed.gradients`, with inputs for saved tensors, when gradients are themselves differentiated.
   * Required if `composed` saves intermediate results, since no gradient flows back through those.
   */
  differentiableGradients?(dy: Output, inputs: Inputs, attributes: Attributes): Gradients<Inputs>;
  /** Inputs without a gradient. */
  constants?: readonly (keyof Inputs)[];
}

export interface TensorOperation<Inputs, Attributes, Saved, Output> {
  (inputs: Inputs, attributes: Attributes): Output;
  /** Sets the implementation by our own kernels. Only layers that need it do so, so that other pages leave it out. */
  useKernels(implementation: Implementation<Inputs, Attributes, Saved, Output>): void;
}

/**
 * Defines an operation on tensors with custom gradients. Our kernels run if the current backend supports them. Their
 * results cannot be differentiated, so a gradient that is itself differentiated is composed of operations of tfjs.
 */
export function defineOperation<
  Inputs extends Tensors<Inputs>,
  Attributes,
  Saved extends Tensors<Saved>,
  Output extends tf.Tensor,
>({
  name,
  composed,
  wasmImplementation,
  differentiableGradients,
  constants = [],
}: Definition<Inputs, Attributes, Saved, Output>): TensorOperation<Inputs, Attributes, Saved, Output> {
  const isSupported = (inputs: Inputs) =>
    Object.entries<tf.Tensor>(present(inputs)).every(
      ([name, { dtype }]) => dtype === (constants.includes(name as keyof Inputs) ? 'int32' : 'float32'),
    );
  const fastest = (inputs: Inputs) =>
    wasmImplementation !== undefined && kernelsInUse() && isSupported(inputs) ? wasmImplementation : composed;

  const run = (inputs: Inputs, attributes: Attributes): Output => {
    // Under two tapes the gradient itself will be differentiated, since the outer tape records the inner one.
    const savesInputs = differentiableGradients !== undefined && tapes() > 1;
    let names: string[] = [];

    const forwardFunc = (_: unknown, save: (tensors: tf.Tensor[]) => void): tf.Tensor => {
      const { y, saved } = fastest(inputs).forward(inputs, attributes);
      const kept = present(savesInputs ? inputs : saved);
      names = Object.keys(kept);
      save(Object.values(kept));
      return y;
    };
    const gradientsOf = (dy: Output, kept: unknown): Gradients<Inputs> => {
      if (savesInputs) return differentiableGradients(dy, kept as Inputs, attributes);
      const { gradients } = tapes() > 0 ? composed : fastest(inputs);
      return gradients(dy, kept as Saved, attributes);
    };
    const backwardsFunc = (dy: tf.Tensor, tensors: tf.Tensor[]) => {
      const kept = Object.fromEntries(names.map((key, index) => [key, tensors[index]]));
      const found = Object.entries<Gradient>(gradientsOf(dy as Output, kept) as never);
      return Object.fromEntries(found.map(([name, gradient]) => [name, () => computed(gradient)]));
    };
    return tf.tidy(name, () => {
      const recorded = { inputs: present(inputs, constants), forwardFunc, backwardsFunc };
      return (tf.engine() as unknown as TapeEngine).runKernelFunc(recorded) as Output;
    });
  };
  const useKernels = (implementation: typeof wasmImplementation) => {
    wasmImplementation = implementation;
  };
  return Object.assign(run, { useKernels });
}

/**
 * The implementation by our own kernels of an operation whose gradients, of the `named` inputs, need its inputs and dy.
 * The first of the modules that compiles provides the loops.
 */
export function byLoops<Loops, Inputs, Attributes, Output extends tf.Tensor>(
  name: string,
  modules: readonly WasmModule<Loops>[],
  named: readonly (keyof Inputs)[],
  kernels: {
    forward(loops: Loops, inputs: Inputs, attributes: Attributes): [Output];
    gradients(loops: Loops, inputs: Inputs & { readonly dy: Output }, attributes: Attributes): tf.Tensor[];
  },
): Implementation<Inputs, Attributes, Inputs, Output> {
  const forward = wasmKernel(name, modules, kernels.forward);
  const gradients = wasmKernel(`${name}Gradient`, modules, kernels.gradients);
  return {
    forward: (inputs, attributes) => ({ y: forward(inputs, attributes)[0], saved: inputs }),
    gradients(dy, inputs, attributes) {
      const found = gradients({ ...inputs, dy }, attributes);
      return Object.fromEntries(named.map((input, i) => [input, found[i]])) as Gradients<Inputs>;
    },
  };
}

/** The number of tapes that are recording. */
const tapes = () => tf.engine().state.gradientDepth;

/** The tensors that are defined and not excluded. */
function present<T extends Tensors<T>>(tensors: T, excluded: readonly (keyof T)[] = []): tf.NamedTensorMap {
  const found: tf.NamedTensorMap = {};
  for (const [name, tensor] of Object.entries<tf.Tensor | undefined>(tensors)) {
    if (tensor !== undefined && !excluded.includes(name as keyof T)) found[name] = tensor;
  }
  return found;
}

/** The private function behind tf.customGrad, which itself computes all gradients, needed or not. */
interface TapeEngine {
  runKernelFunc(operation: {
    inputs: tf.NamedTensorMap;
    forwardFunc(backend: unknown, save: (tensors: tf.Tensor[]) => void): tf.Tensor;
    backwardsFunc(dy: tf.Tensor, saved: tf.Tensor[]): Record<string, () => tf.Tensor>;
  }): tf.Tensor;
}
