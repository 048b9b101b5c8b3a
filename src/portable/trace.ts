import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel, layers, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { featuresOf, stockLayer } from '../layers/stock-layers';
import type { TensorDistribution } from '../layers/types';
import { type ImageModelShape, imageModelShape } from '../models/image-model';
import { isSymmetric, type SymmetricModel } from '../models/symmetric';
import { anything, type Given, optional, readArguments } from '../runtime/core/arguments';
import { seesBelow } from '../runtime/core/window';
import { numParametersOf } from '../runtime/distributions/kinds';
import {
  areAlike,
  channelOf,
  isSoftmax,
  outputsName,
  type PixelDistribution,
} from '../runtime/distributions/pixel-distribution';
import { type Features, nodeOf, ProgramBuilder } from '../runtime/program/builder';
import { checkDescription } from '../runtime/program/description';
import { imageProgram } from '../runtime/program/maps';
import type { Expressed } from '../runtime/program/operations';
import type { PortableModel, Weight } from '../runtime/program/program';
import { firstLeak, type Readiness, readinessOf, UnfitResolution } from '../runtime/program/readiness';
import { AFTER_ROW } from '../runtime/program/times';
import type { LayerWeight } from '../runtime/program/weights';

/** A model as a program whose weights are not yet read. */
export interface TracedModel {
  readonly builder: ProgramBuilder;
  /** The node of the outputs: P features, or for a softmax C*L logits, channel-major. */
  readonly output: number;
  /** The program with the weights as they were last read. */
  last?: {
    readonly program: PortableModel;
    /** tfjs's ids of the weights' data, which change when weights are assigned. */
    readonly dataIds: readonly object[];
  };
}

/** Why a model cannot be evaluated pixel by pixel. */
export interface Untraced {
  readonly obstacle: string;
  /** If all layers could be traced but some outputs are ready too late: the program, and when each node is ready. */
  readonly late?: TracedModel & { readonly readiness: readonly Readiness[] };
  /** The layer that sees rows below, if all could be traced but this one does not fit in any program. */
  readonly seesBelow?: string;
}

/** The results of tracing models, for a distribution. */
const traces = /* @__PURE__ */ new WeakMap<
  LayersModel,
  { readonly distribution: PixelDistribution; readonly result: TracedModel | Untraced }
>();

/** Builds a model's program, once, or states why it cannot be evaluated pixel by pixel. Makes no tensors. */
export function trace(model: LayersModel, shape: ImageModelShape): TracedModel | Untraced {
  const { distribution } = shape;
  const before = traces.get(model);
  if (before && areAlike(before.distribution, distribution)) return before.result;
  const result = traceAnew(model, shape);
  traces.set(model, { distribution, result });
  return result;
}

function traceAnew(model: LayersModel, shape: ImageModelShape): TracedModel | Untraced {
  const { imageShape, conditions, distribution } = shape;
  const builder = new ProgramBuilder();
  const known = new Map<SymbolicTensor, Features>();
  const [image, ...others] = model.inputs as [SymbolicTensor, ...SymbolicTensor[]];
  known.set(image, builder.image(imageShape[2]));
  for (const [index, condition] of others.entries()) {
    const [size, isMap] = [condition.shape.at(-1) as number, condition.rank === 4]; // [N,K] or [N,h,w,K]
    known.set(condition, builder.condition(index, size, isMap));
  }
  const outputs = outputsName(distribution);
  try {
    const output = nodeOf(build(builder, known, model.outputs[0] as SymbolicTensor));
    const program = imageProgram({ output, conditions, imageShape, nodes: builder.nodes });
    const readiness = readinessOf(program.nodes, program.conditions);
    const { times, scale } = readiness[output] as Readiness;
    if (scale > 1) return { obstacle: `the ${outputs} have a resolution of 1/${scale} of the image` };
    const channel = firstLeak(times, (parameter) => channelOf(distribution, parameter));
    if (channel < 0) return { builder, output };
    return {
      late: { builder, output, readiness },
      obstacle: times.includes(AFTER_ROW)
        ? `the ${outputs} of channel ${channel} see later pixels of their row: shift the states of an LSTM from the right down by a row, and let vertical layers read rows above only`
        : `the model is not causal: its ${outputs} of channel ${channel} see that channel or a later one`,
    };
  } catch (error) {
    if (error instanceof Obstacle) return { obstacle: error.message };
    if (!(error instanceof UnfitResolution)) throw error;
    const [node, layer] = [builder.nodes[error.node], builder.owners[error.node] as string];
    const isAhead = node?.op === 'conv' && seesBelow(node.window) && node.window.kernelSize[0] > 1;
    const obstacle = `layer '${layer}' cannot be evaluated pixel by pixel: ${error.reason}`;
    return { obstacle, ...(isAhead && { seesBelow: layer }) };
  }
}

/** The functions that have already warned about a model. */
const warned = /* @__PURE__ */ new WeakMap<LayersModel, Set<string>>();

/** Warns, once for each model, that an obstacle forces a function to take a slower path. */
export function warnOfObstacle(caller: string, model: LayersModel, obstacle: string, consequence: string) {
  const callers = warned.get(model) ?? new Set();
  if (callers.has(caller)) return;
  warned.set(model, callers.add(caller));
  console.warn(`${caller}: ${obstacle}. So ${consequence}`);
}

/** Thrown only within {@link trace}. */
class Obstacle extends Error {}

/** The features of a tensor. If it is of a model that is a layer of another, `prefix` is for the names of its layers. */
function build(
  builder: ProgramBuilder,
  known: Map<SymbolicTensor, Features>,
  tensor: SymbolicTensor,
  prefix = '',
): Features {
  const before = known.get(tensor);
  if (before !== undefined) return before;
  const layer: layers.Layer & Partial<Expressed> = tensor.sourceLayer;
  const className = layer.getClassName();
  const cannot = `layer '${layer.name}' (${className}) cannot be evaluated pixel by pixel`;
  const tensors = layer.inboundNodes[tensor.nodeIndex]?.inputTensors ?? [];
  const inputs = tensors.map((input) => build(builder, known, input, prefix)) as [Features, ...Features[]];
  const shapes = tensors.map(({ shape }) => shape);
  const within: Partial<LayersModel> = layer as layers.Layer; // if the layer is itself a model
  if (within.inputs !== undefined && within.outputs?.length === 1) {
    const given = new Map(within.inputs.map((input, i) => [input, inputs[i] as Features])); // anew each time it is applied
    const features = build(builder, given, within.outputs[0] as SymbolicTensor, `${prefix}${layer.name}.`);
    known.set(tensor, features);
    return features;
  }
  builder.enterLayer(prefix + layer.name);
  if (layer.express !== undefined && overridesCall(layer))
    throw new Obstacle(`${cannot}: its class has its own call, not only express`);
  let features: Features | null | undefined;
  try {
    features = layer.express?.(builder.ops, inputs) ?? stockLayer(layer, shapes)?.(builder.ops, inputs);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Obstacle(`${cannot}: ${error.message}`); // an operation refused its input
  }
  if (!features) throw new Obstacle(cannot);
  if (tensor.outputTensorIndex !== undefined || features.size !== featuresOf(tensor.shape)) {
    const mismatch = `expresses ${features.size} features for an output [${tensor.shape}]`;
    throw new Obstacle(`layer '${layer.name}' (${className}) ${mismatch}`);
  }
  known.set(tensor, features);
  return features;
}

/** Whether a class overrides `call` of the class that defines `express`. */
function overridesCall(layer: layers.Layer): boolean {
  let prototype: object | null = layer;
  const has = (name: string) => prototype !== null && Object.hasOwn(prototype, name);
  while (prototype !== null && !has('express')) {
    if (has('call') && prototype !== layer) return true; // a field `call` belongs to the class itself
    prototype = Object.getPrototypeOf(prototype);
  }
  return false;
}

/** The layers' weights that a program is made from, each once. */
const layerWeightsOf = ({ builder: { weights } }: TracedModel) => [
  ...new Set([...weights.values()].flatMap(({ from }) => from)),
];

/** Reads the weights, each once, and makes the model. */
export async function readModel(traced: TracedModel, shape: ImageModelShape): Promise<PortableModel> {
  const { imageShape, levels, conditions, distribution } = shape;
  const { nodes, weights } = traced.builder;
  const read = async (weight: LayerWeight) => [weight, await (weight.read() as Tensor).data()] as const;
  const numbers = new Map<LayerWeight, ArrayLike<number>>(
    await Promise.all(layerWeightsOf(traced).map(read)),
  );
  const named = [...weights].map(([name, { shape, from, make }]): [string, Weight] => {
    const of = from.map((weight) => numbers.get(weight) as ArrayLike<number>);
    return [name, { shape, data: make(of) }];
  });
  return {
    imageShape,
    levels,
    conditions,
    nodes,
    output: traced.output,
    weights: new Map(named),
    ...(!isSoftmax(distribution) && distribution.data && { distribution: distribution.data }),
  };
}

const MAX_KEPT_BYTES = 2 ** 26; // of a program

/** Returns the last program of a model, or a new one if weights have changed. */
export async function readProgram(traced: TracedModel, shape: ImageModelShape): Promise<PortableModel> {
  const dataIds = layerWeightsOf(traced).map((weight) => (weight.read() as Tensor).dataId);
  const { last } = traced;
  if (last && dataIds.every((id, i) => id === last.dataIds[i])) return last.program;
  delete traced.last;
  const program = await readModel(traced, shape);
  const bytes = [...program.weights.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  if (bytes <= MAX_KEPT_BYTES) traced.last = { program, dataIds };
  return program;
}

/** Calls {@link trace}, and throws if the model cannot be evaluated pixel by pixel. */
export function traceOrThrow(caller: string, model: LayersModel, shape: ImageModelShape): TracedModel {
  const traced = trace(model, shape);
  if ('obstacle' in traced) throw new TypeError(`${caller}: ${traced.obstacle}`);
  return traced;
}

const portableOptions = () => ({
  /** The colour of each level, [L] greys or [L, 3] red, green and blue, for programs that show images. */
  palette: optional(anything<Uint8Array>()),
  /** Information about the model, such as its name, source, licence and training data. At most 100 entries. */
  info: optional(anything<Readonly<Record<string, string>>>()),
});

/** Options of {@link toPortable}. */
export interface ToPortableOptions extends Given<ReturnType<typeof portableOptions>> {}

/**
 * Converts a model to plain data, which `pixelcnn-layers/runtime` runs without tfjs: in workers, servers, from files.
 *
 * @throws TypeError (rejects) naming the option, or a layer that is not pixel by pixel or has its own distribution
 * @example
 * ```js
 * import { pixelCNN, toPortable } from 'pixelcnn-layers';
 * import { sample } from 'pixelcnn-layers/runtime';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const { data, shape } = await sample(await toPortable(model), { numImages: 2, seed: 1 });
 * console.log(data.length, shape); // 32 [2, 4, 4, 1]
 * ```
 */
export async function toPortable(
  given: LayersModel | SymmetricModel,
  options: ToPortableOptions = {},
): Promise<PortableModel> {
  if (isSymmetric(given)) return { ...(await toPortable(given.model, options)), symmetry: given.symmetry };
  const shape = imageModelShape('toPortable: model', given);
  const values = readArguments('toPortable', options, portableOptions());
  const description = checkDescription('toPortable: ', values, shape.levels);
  const traced = traceOrThrow('toPortable', given, shape);
  const { distribution } = shape;
  const { data, numParameters } = distribution as TensorDistribution;
  const isData = data !== undefined && numParametersOf(data, distribution) === numParameters;
  if (!isSoftmax(distribution) && !isData) {
    const { name } = (given.outputs[0] as SymbolicTensor).sourceLayer;
    throw new TypeError(`toPortable: layer '${name}' has its own distribution, which is not data`);
  }
  return { ...(await readModel(traced, shape)), ...description };
}
