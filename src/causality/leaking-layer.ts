import { reshape, type Tensor3D, type Tensor4D } from '@tensorflow/tfjs-core';
import { type LayersModel, model as makeModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { type ConditionValues, conditionTensor } from '../image-model/conditions';
import { forward } from '../image-model/forward';
import { type ImageShape, sizeOf } from '../image-model/place';
import { changeEach } from './perturbation';

/** A layer's output that holds features of each pixel. */
interface Probe {
  readonly layer: string;
  readonly tensor: SymbolicTensor;
  readonly hasWeights: boolean;
  /** C groups of features where they split evenly, else one. */
  readonly groups: number;
  /** Sees pixels that come later, or, in a group, channels that come later than its own. */
  seesLater: boolean;
  /** A group sees its own channel. */
  seesItself: boolean;
}

/**
 * The layer of a leaking model that first lets the future in, null where none can be told: the first one whose output at a pixel moves with a later pixel, or
 * a group of whose features with a later channel of its own pixel. Where there is none, each value sees itself, and the first layer with weights has
 * the wrong type of mask.
 */
export async function leakingLayer(
  model: LayersModel,
  imageShape: ImageShape,
  conditions: ConditionValues | null,
  options: { caller: string; batchSize: number; random: () => number },
): Promise<string | null> {
  const probes = probesOf(model, imageShape);
  for (const probe of probes) {
    await look(model, probe, imageShape, conditions, options);
    if (probe.seesLater) return probe.layer;
  }
  return probes.find(({ hasWeights, seesItself }) => hasWeights && seesItself)?.layer ?? null;
}

/** Finds out what a probe sees. */
async function look(
  model: LayersModel,
  probe: Probe,
  imageShape: ImageShape,
  conditions: ConditionValues | null,
  options: { caller: string; batchSize: number; random: () => number },
): Promise<void> {
  const [height, width, channels] = imageShape;
  const { groups } = probe;
  const upTo = makeModel({ inputs: model.inputs as SymbolicTensor[], outputs: probe.tensor });
  const byGroup = (images: Tensor4D) => {
    const [n] = images.shape;
    const features = forward(upTo, images, conditions && conditionTensor(conditions, 0, n));
    return reshape(features, [n, height * width * groups, -1]) as Tensor3D; // [N,H,W,F] -> [N, H*W*groups, F/groups]
  };
  const inputs = Array.from({ length: sizeOf(imageShape) }, (_, index) => index);
  await changeEach(byGroup, imageShape, inputs, options, (input, hasMoved) => {
    const [pixel, channel] = [Math.floor(input / channels), input % channels];
    for (let position = 0; position < pixel * groups; position++) {
      if (hasMoved(position)) probe.seesLater = true;
    }
    if (groups !== channels) return;
    for (let group = 0; group <= channel; group++) {
      if (!hasMoved(pixel * groups + group)) continue;
      if (group < channel) probe.seesLater = true;
      else probe.seesItself = true;
    }
  });
}

/** Every output [N,H,W,F], or [N,H,W,C,L], of every layer but the input's, in the order of the graph. */
function probesOf(model: LayersModel, [height, width, channels]: ImageShape): Probe[] {
  const probes: Probe[] = [];
  for (const layer of model.layers) {
    if (layer.getClassName() === 'InputLayer' || layer.inboundNodes.length !== 1) continue;
    for (const tensor of [layer.output].flat()) {
      const [, h, w, features, ...rest] = tensor.shape;
      const isOfPixels = (h === null || h === height) && (w === null || w === width) && rest.length <= 1;
      if (!isOfPixels || features == null || rest.includes(null)) continue;
      const groups = features % channels === 0 ? channels : 1;
      const hasWeights = layer.weights.length > 0;
      probes.push({ layer: layer.name, tensor, hasWeights, groups, seesLater: false, seesItself: false });
    }
  }
  return probes;
}
