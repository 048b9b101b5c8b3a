import { reshape, type Tensor, type Tensor3D, type Tensor4D } from '@tensorflow/tfjs-core';
import { type LayersModel, model as makeModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { type ConditionValues, conditionTensor } from './condition';
import { forward } from './image-model';
import { changeEach, type ImageShape, sizeOf } from './perturbation';

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
  const [height, width, channels] = imageShape;
  const probes = probesOf(model, imageShape);
  if (probes.length === 0) return null;
  const outputs = makeModel({
    inputs: model.inputs as SymbolicTensor[],
    outputs: probes.map(({ tensor }) => tensor),
  });
  const byGroup = (images: Tensor4D) =>
    [
      forward(outputs, images, conditions && conditionTensor(conditions, 0, images.shape[0])) as
        | Tensor
        | Tensor[],
    ]
      .flat()
      .map(
        (features, i) =>
          reshape(features, [images.shape[0], height * width * (probes[i] as Probe).groups, -1]) as Tensor3D,
      ); // [N,H,W,F] -> [N, H*W*groups, F/groups]
  const inputs = Array.from({ length: sizeOf(imageShape) }, (_, index) => index);
  await changeEach(byGroup, imageShape, inputs, options, (input, hasMoved) => {
    const [pixel, channel] = [Math.floor(input / channels), input % channels];
    for (const [i, probe] of probes.entries()) {
      const { groups } = probe;
      for (let position = 0; position < pixel * groups; position++) {
        if (hasMoved(position, i)) probe.seesLater = true;
      }
      if (groups !== channels) continue;
      for (let group = 0; group <= channel; group++) {
        if (!hasMoved(pixel * groups + group, i)) continue;
        if (group < channel) probe.seesLater = true;
        else probe.seesItself = true;
      }
    }
  });
  const first =
    probes.find(({ seesLater }) => seesLater) ??
    probes.find(({ hasWeights, seesItself }) => hasWeights && seesItself);
  return first?.layer ?? null;
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
