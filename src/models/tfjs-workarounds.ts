import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  type LayerVariable,
  type layers,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { eachLayer } from '../layers/pixel-layer';
import type { LayerWeight } from '../runtime/program/weights';

// Workarounds for what tfjs 4.22 lacks to train, save and load a model. Only this file reads its private members.

/**
 * Gives a weight a value as it is, as optimizers do. tfjs's own `write` would apply the layer's constraint to it, which
 * training never does, and leave a tensor behind.
 */
export function assignWeight(weight: LayerWeight, value: tf.Tensor): void {
  (weight.read() as tf.Variable).assign(value);
}

/** Whether a weight is disposed, and cannot be read. */
export const isWeightDisposed = (weight: LayerVariable): boolean => weight['val'].isDisposed;

/** Whether a layer, or one of its weights, is disposed. */
export const isLayerDisposed = (layer: layers.Layer): boolean =>
  layer['_refCount'] === 0 || layer.weights.some(isWeightDisposed);

/** Disposes the weights of a layer that is in no model, which has no layers to dispose. */
export function disposeWeights(layer: layers.Layer): void {
  if (layer.built) layer['disposeWeights']();
}

/** The weights that a compiled model trains. */
export const trainedWeights = (model: LayersModel): LayerVariable[] => model['collectedTrainableWeights'];

/** Makes a compiled model train other weights than those that are trainable. */
export function trainWeights(model: LayersModel, weights: LayerVariable[]): void {
  model['collectedTrainableWeights'] = weights;
}

/** Makes a compiled model accept labels [N,H,W,channels]. For a custom loss, tfjs requires the outputs' shape. */
export function acceptLevels(model: LayersModel, channels: number): void {
  model['feedOutputShapes'] = model.outputs.map(({ shape }) => [...shape.slice(0, 3), channels]);
}

/**
 * Makes a loaded Adam continue exactly like the saved one. tfjs multiplies beta1^t and beta2^t by beta in each training
 * step, but restores them with `pow`, which differs in the last bits. This repeats the multiplications.
 */
export function restoreAdamPowersExactly(optimizer: tf.Optimizer): void {
  if (optimizer.getClassName() !== 'Adam') return;
  const setWeights = optimizer.setWeights.bind(optimizer);
  optimizer.setWeights = async (weights) => {
    await setWeights(weights);
    const adam = optimizer as tf.AdamOptimizer;
    tf.tidy(() => {
      adam['accBeta1'].assign(tf.scalar(power(adam['beta1'], adam.iterations)));
      adam['accBeta2'].assign(tf.scalar(power(adam['beta2'], adam.iterations)));
    });
  };
}

/** beta^(steps + 1), computed by `steps` float32 multiplications. */
function power(beta: number, steps: number): number {
  const factor = Math.fround(beta);
  let product = factor;
  for (let i = 0; i < steps; i++) {
    const next = Math.fround(product * factor);
    if (Object.is(next, product)) return product; // it stays constant, however many steps a damaged file claims
    product = next;
  }
  return product;
}

/** Runs `save` and disposes the step counts that the optimizer makes meanwhile and tfjs leaks. */
export async function withoutLeakingSteps<T>(optimizer: tf.Optimizer, save: () => Promise<T>): Promise<T> {
  const steps: tf.Tensor[] = [];
  const getWeights = optimizer.getWeights.bind(optimizer);
  optimizer.getWeights = async () => {
    const weights = await getWeights();
    steps.push(...weights.filter(({ name }) => name === 'iter').map(({ tensor }) => tensor));
    return weights;
  };
  try {
    return await save();
  } finally {
    Reflect.deleteProperty(optimizer, 'getWeights'); // back to the method of its class
    tf.dispose(steps);
  }
}

/** Releases what is kept for a backward pass that an error prevented, which tfjs 4.22 leaks under `variableGrads`. */
export function disposeAbandonedTape(): void {
  const { state } = tf.engine();
  if (state.gradientDepth > 0) return; // an outer gradient still needs its tape
  for (const node of state.activeTape ?? []) tf.dispose(node.saved ?? []);
  state.activeTape = [];
}

/** The tensors that tfjs has made since {@link collectMade}. */
export type Made = ReturnType<typeof collectMade>;

/** The tensors of the current collection. */
let collected: tf.Tensor[] | null = null;

/**
 * Collects the tensors and variables that are made until `keep` or `dispose` is called, since tfjs leaks them
 * when it fails to load a model. Only the first call counts. A nested collection collects nothing.
 */
export function collectMade() {
  if (collected !== null) return { keep() {}, dispose() {} };
  const { registeredVariables } = tf.engine();
  const before = new Set(Object.keys(registeredVariables));
  tf.engine().startScope();
  const tensors: tf.Tensor[] = tf.engine().state.activeScope.track;
  collected = tensors;
  const end = (act: () => void) => {
    if (collected !== tensors) return;
    collected = null;
    tf.engine().endScope([...tensors]); // as if there had been no scope
    act();
    tensors.length = 0;
  };
  return {
    keep: () => end(() => {}),
    /** Disposes everything, including variables and kept tensors. */
    dispose: () =>
      end(() => {
        tf.dispose(tensors);
        for (const [name, variable] of Object.entries(registeredVariables)) {
          if (!before.has(name)) variable.dispose();
        }
      }),
  };
}

/**
 * Lets a layer take the same tensor twice. Outside training, tfjs counts the layers that read a tensor, and disposes it
 * after that many reads; a layer that takes it twice reads it twice, so other layers would find it disposed. Here each
 * repeated input gets a name, and with it a count, of its own.
 */
export function separateRepeatedInputs(model: LayersModel): void {
  eachLayer(model, ({ inboundNodes = [] }) => {
    for (const output of inboundNodes.flatMap(({ outputTensors }) => outputTensors)) {
      const { inputs } = output;
      const separate = inputs.map((tensor, i) => (inputs.indexOf(tensor) < i ? sameAs(tensor) : tensor));
      Object.assign(output, { inputs: separate }); // only read when a model runs; graphs are saved by their nodes
    }
  });
}

/** A symbolic tensor whose value is that of another, which tfjs finds by `id`. */
function sameAs({ id, name, shape, dtype }: SymbolicTensor): SymbolicTensor {
  const same = input({ batchShape: shape, dtype, name: `${name}_again` });
  Object.assign(same.sourceLayer, { _stateful: true }); // tfjs disposes no outputs of stateful layers
  return Object.assign(same, { id });
}
