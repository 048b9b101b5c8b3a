import type { LayersModel, layers, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { type Features, type IncrementalLayer, indexOf, Program } from './program';
import { NEVER, stepsOf } from './steps';
import { stockLayer } from './stock-layers';

/** A model as a program. */
export interface TracedModel {
  readonly program: Program;
  /** Its logits: C*L features, channel-major. */
  readonly logits: Features;
  /** Of each node and feature, the step in which it is known. */
  readonly steps: readonly (readonly number[])[];
}

/**
 * Walks a model's graph from its logits back to the image and builds the program of it, or says what stands
 * against it: a layer that cannot be evaluated pixel by pixel, or logits that see values not yet drawn. Makes
 * no tensor.
 */
export function trace(
  model: LayersModel,
  imageChannels: number,
  levels: number,
): TracedModel | { readonly obstacle: string } {
  const program = new Program();
  const known = new Map<SymbolicTensor, Features>();
  const [image, condition] = model.inputs as [SymbolicTensor, SymbolicTensor?];
  known.set(image, program.image(imageChannels));
  if (condition !== undefined) {
    known.set(condition, program.condition(condition.shape.at(-1) as number, condition.rank === 4));
  }
  try {
    const logits = build(program, known, model.outputs[0] as SymbolicTensor);
    const all = stepsOf(program.nodes);
    const steps = all[indexOf(logits)] as number[];
    const seesFuture = steps.findIndex((step, feature) => step > Math.floor(feature / levels));
    if (seesFuture < 0) return { program, logits, steps: all };
    const channel = Math.floor(seesFuture / levels);
    const isVertical = steps[seesFuture] === NEVER;
    return {
      obstacle: isVertical
        ? `the logits of channel ${channel} are made of a vertical layer with mask B, whose input must see rows above only and does not`
        : `the model is not causal: its logits of channel ${channel} see that channel or a later one`,
    };
  } catch (error) {
    if (error instanceof Obstacle) return { obstacle: error.message };
    throw error;
  }
}

/** Thrown within {@link trace} only. */
class Obstacle extends Error {}

function build(program: Program, known: Map<SymbolicTensor, Features>, tensor: SymbolicTensor): Features {
  const before = known.get(tensor);
  if (before !== undefined) return before;
  const layer = tensor.sourceLayer;
  const node = layer.inboundNodes[tensor.nodeIndex];
  const tensors = node?.inputTensors ?? [];
  const inputs = tensors.map((input) => build(program, known, input));
  const features = buildLayer(program, layer, inputs, tensors[0]?.shape.length ?? 0);
  if (tensor.outputTensorIndex !== undefined || features.size !== sizeOf(tensor)) {
    const said = `says ${features.size} features of an output [${tensor.shape}]`;
    throw new Obstacle(`layer '${layer.name}' (${layer.getClassName()}) ${said}`);
  }
  known.set(tensor, features);
  return features;
}

/** The features of a layer's output: F of [N,H,W,F] or [N,F], C*L of [N,H,W,C,L]. */
function sizeOf({ shape }: SymbolicTensor): number {
  return shape
    .slice(shape.length === 2 ? 1 : 3)
    .reduce<number>((product, length) => product * (length ?? 0), 1);
}

function buildLayer(
  program: Program,
  layer: layers.Layer,
  inputs: readonly Features[],
  rank: number,
): Features {
  const own = layer as Partial<IncrementalLayer> & layers.Layer;
  const features = own.incremental?.(program, inputs) ?? stockLayer(program, layer, inputs, rank);
  if (features === null) {
    throw new Obstacle(`layer '${layer.name}' (${layer.getClassName()}) cannot be evaluated pixel by pixel`);
  }
  return features;
}
