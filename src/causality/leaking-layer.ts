import { reshape, type Tensor, type Tensor3D, type Tensor4D } from '@tensorflow/tfjs-core';
import { type LayersModel, model as makeModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { LevelEmbedding } from '../layers/level-embedding';
import { forward } from '../tensors/forward';
import { changeEach, type Trials } from './perturbation';

/**
 * How far the features of a pixel and channel see: values before their own only; their own too, as the image
 * does; later ones.
 */
const [BEFORE, ITSELF, LATER] = [0, 1, 2] as const;
type Sight = typeof BEFORE | typeof ITSELF | typeof LATER;

/**
 * The layer of a leaking model that first lets the future in, null where no one layer can be told.
 *
 * From the outputs it goes back along what leaks. A layer that sees later values although nothing that it
 * reads does is the one. Where that way ends at the image, each value sees itself, and the first layer on it
 * that has weights has the wrong type of mask, but for an embedding, which keeps each value by itself.
 *
 * @param inputs some values of which the outputs see what they must not
 */
export async function leakingLayer(
  model: LayersModel,
  inputs: readonly number[],
  trials: Trials,
): Promise<string | null> {
  const image = model.inputs[0] as SymbolicTensor;
  const sights = new Map<SymbolicTensor, Sight | null>([[image, ITSELF]]);
  const sightOf = async (tensor: SymbolicTensor) => {
    if (!sights.has(tensor)) sights.set(tensor, await look(model, tensor, inputs, trials));
    return sights.get(tensor) ?? null;
  };

  let leaking = model.outputs[0] as SymbolicTensor;
  const made = madeOf(image, leaking);
  const sight = await sightOf(leaking);
  if (sight === null || sight === BEFORE) return null;
  let masked: string | null = null;
  while (leaking !== image) {
    const layer = leaking.sourceLayer;
    if (layer.weights.length > 0 && layer.getClassName() !== LevelEmbedding.className) masked = layer.name;
    let next: SymbolicTensor | undefined;
    let isKnown = true;
    for (const tensor of inputsOf(leaking).filter((input) => made.has(input))) {
      const seen = await sightOf(tensor);
      if (seen === null) isKnown = false;
      else if (seen >= sight) next ??= tensor;
    }
    if (next === undefined) return isKnown ? layer.name : null;
    leaking = next;
  }
  return masked;
}

/** What a symbolic tensor was made of. */
function inputsOf({ sourceLayer, nodeIndex }: SymbolicTensor): SymbolicTensor[] {
  return sourceLayer.inboundNodes[nodeIndex]?.inputTensors ?? [];
}

/** The image and all that is made of it on the way to an output. */
function madeOf(image: SymbolicTensor, output: SymbolicTensor): Set<SymbolicTensor> {
  const [made, visited] = [new Set([image]), new Set([image])];
  const visit = (tensor: SymbolicTensor): boolean => {
    if (!visited.has(tensor)) {
      visited.add(tensor);
      if (inputsOf(tensor).filter(visit).length > 0) made.add(tensor);
    }
    return made.has(tensor);
  };
  visit(output);
  return made;
}

/**
 * How far features [N,H,W,F], or logits [N,H,W,C,L], see, also at every second or fourth row and column only, which stand
 * for the pixels there; null where they are none, or do not tell channels apart.
 */
async function look(
  model: LayersModel,
  tensor: SymbolicTensor,
  inputs: readonly number[],
  trials: Trials,
): Promise<Sight | null> {
  const [height, width, channels] = trials.imageShape;
  const [, , , features, ...rest] = tensor.shape;
  if (features == null || rest.length > 1 || rest.includes(null)) return null;
  const upTo = makeModel({ inputs: model.inputs as SymbolicTensor[], outputs: tensor });
  const [rows, columns] = sizeAt(upTo, trials);
  const scale = height / rows;
  if (!Number.isInteger(scale) || columns * scale !== width) return null;
  const groups = features % channels === 0 ? channels : 1;

  const byGroup = (images: Tensor4D, conditions: readonly Tensor[]) => {
    const output = forward(upTo, images, conditions);
    return reshape(output, [images.shape[0], rows * columns * groups, -1]) as Tensor3D; // [N,rows,columns,F] -> [N, rows*columns*groups, F/groups]
  };
  const pixelOf = (place: number) => scale * (Math.floor(place / columns) * width + (place % columns));
  let sight: Sight = BEFORE;
  let isMixed = false; // sees channels of its own pixel and has no channel itself
  await changeEach(byGroup, inputs, trials, (input, hasMoved) => {
    const [pixel, channel] = [Math.floor(input / channels), input % channels];
    for (let place = 0; place < rows * columns && pixelOf(place) <= pixel; place++) {
      for (let group = 0; group < groups; group++) {
        if (!hasMoved(place * groups + group)) continue;
        if (pixelOf(place) < pixel) sight = LATER;
        else if (groups !== channels) isMixed = true;
        else if (group < channel) sight = LATER;
        else if (group === channel && sight === BEFORE) sight = ITSELF;
      }
    }
  });
  return isMixed && (sight as Sight) !== LATER ? null : sight;
}

/** Rows and columns of a model's output for the images that are tried, where the model may take any. */
function sizeAt(
  model: LayersModel,
  { imageShape: [height, width] }: Trials,
): [rows: number, columns: number] {
  const inputs = model.inputs.map(({ shape }) =>
    shape.length === 4 ? [null, height, width, shape[3] as number] : shape,
  );
  const [, rows, columns] = model.computeOutputShape(inputs) as number[];
  return [rows as number, columns as number];
}
