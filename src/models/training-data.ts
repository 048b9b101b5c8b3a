import { dispose, type Tensor, tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { anything, type Given, readArguments } from '../runtime/core/arguments';
import { throwTypeError } from '../runtime/core/check';
import { isByName } from '../runtime/core/conditions';
import { checkImages, type Images, resolveImageShape } from '../runtime/core/images';
import {
  type Condition,
  checkReadable,
  conditionOption,
  isTensor,
  modelInputs,
  readConditionTensors,
} from './conditions';
import type { ImageModelShape } from './image-model';
import { normalize } from './normalize';

// The data of training and evaluation: levels alone, which are the labels and are normalized here, or inputs
// and labels, as in tfjs. Only the presence of labels distinguishes them, never the numbers.

export interface TrainedModel extends ImageModelShape, Pick<LayersModel, 'inputNames' | 'outputNames'> {
  /** Whether its levels are the default of a factory, and no labels have been compared with them yet. */
  hasDefaultLevels?: boolean;
}

/** Levels [N,H,W,C] as a tensor or as arrays, such as an `ImageSet` of `pixelcnn-layers/data`, with the model's number of levels. */
export type Levels = Tensor | (Images & { readonly levels?: number });

/** Inputs or labels as in tfjs: a tensor, a list of tensors, or tensors by name. */
export type Tensors = Tensor | Tensor[] | { [name: string]: Tensor };

const declared = {
  /** Levels 0..L-1 [N,H,W,C], int32 or float32. */
  levels: anything<Tensor>(),
  ...conditionOption,
};

/** Levels alone, with their condition if the model takes one: an element of a dataset, or validation data. */
// A type, not an interface: otherwise TypeScript would not accept it as a TensorContainer of tfjs.
export type LevelsAndCondition = Readonly<Given<typeof declared>>;

/** Validation data: levels alone, or inputs and labels. */
export type ValidationData =
  | Levels
  | (Omit<LevelsAndCondition, 'levels'> & { readonly levels: Levels })
  | readonly [x: Tensors, y: Tensors];

export interface TrainingData {
  /** Inputs and labels in tfjs's form. */
  readonly inputs: Tensors;
  readonly labels: Tensors;
  /** The tensors among them, with conditions in the order of the model. */
  readonly images: Tensor;
  readonly conditions: readonly Tensor[];
  readonly levels: Tensor;
  /** Whether levels were given alone. */
  readonly isAlone: boolean;
  /** The tensors made here, which the caller disposes: among conditions, images and levels. */
  readonly made: Tensor[];
}

/** The arguments of methods that take levels alone [N,H,W,C], or inputs `x` and labels `y`. */
export type LevelsOrPair<Options> =
  | [levels: Levels, options?: Options | undefined]
  | [x: Tensors, y: Tensors, options?: Options | undefined];

export const isDataset = <G>(given: G): given is Extract<G, { iterator: unknown }> =>
  typeof (given as { iterator?: unknown } | null | undefined)?.iterator === 'function';

/** Whether an argument is options and not labels: an object without the names of the model's outputs. */
export const isOptions = (given: unknown, { outputNames }: Pick<LayersModel, 'outputNames'>): boolean =>
  given === undefined || (isByName(given) && !outputNames.some((name) => name in given));

/** Reads levels alone [N,H,W,C] and their condition as inputs and labels. Throws if they do not fit the model. */
export function readLevels(
  caller: string,
  model: TrainedModel,
  given: unknown,
  condition: Condition | undefined,
): TrainingData {
  const what = `${caller}: levels`;
  const arrays = isArrays(given) ? given : null; // whose numbers are checked with those of tensors
  if (arrays) checkImages(what, arrays);
  else if (checkTensors(what, given, [])[0] !== given)
    throwTypeError(what, 'one tensor, with conditions in the options', given);
  if ((arrays?.levels ?? model.levels) !== model.levels)
    throwTypeError(what, `images of ${model.levels} levels, as the model has`, arrays?.levels);
  const shape = checkLevelsShape(what, model, given as Levels);
  const conditions = readConditionTensors(`${caller}: condition`, model.conditions, condition, shape);
  const levels = arrays ? tensor(Int32Array.from(arrays.data), shape, 'int32') : (given as Tensor);
  const images = normalize(levels, model.levels);
  const inputs = conditions.length === 0 ? images : [images, ...conditions];
  const made = [...conditions, images, ...(arrays ? [levels] : [])];
  return { inputs, labels: levels, images, conditions, levels, isAlone: true, made };
}

const isArrays = (given: unknown): given is Exclude<Levels, Tensor> =>
  !isTensor(given) && typeof given === 'object' && given !== null && 'data' in given && 'shape' in given;

/** Reads inputs, which errors call `name`, and labels, with the conditions if these are not among the inputs. */
export function readPair(
  caller: string,
  model: TrainedModel,
  x: unknown,
  y: unknown,
  condition: Condition | undefined,
  name = 'x',
): TrainingData {
  const [images, ...beside] = checkTensors(`${caller}: ${name}`, x, model.inputNames);
  const [levels] = checkTensors(`${caller}: labels`, y, model.outputNames);
  const shape = checkLevelsShape(`${caller}: labels`, model, levels);
  if (String(images.shape) !== String(shape))
    throwTypeError(`${caller}: ${name}`, `images of shape [${shape}], as the labels have`, images.shape);
  const { inputs, made } = modelInputs(caller, model, x as Tensors, condition);
  const conditions = beside.length > 0 ? beside : made;
  return { inputs, labels: y as Tensors, images, conditions, levels, isAlone: false, made };
}

export function readValidationData(caller: string, model: TrainedModel, given: unknown): TrainingData {
  const alone = readAlone(caller, model, given);
  if (alone !== null) return alone;
  if (!Array.isArray(given) || given.length !== 2)
    throwTypeError(caller, `levels, { levels, condition } or [x, labels]${hintFor(given)}`, given);
  return readPair(caller, model, given[0], given[1], undefined);
}

/** The number of images that `fit` trains on. tfjs does not check that there are any. */
export function numTrained({ levels }: TrainingData, validationSplit: number): number {
  const [numImages = 0] = levels.shape;
  const count = Math.floor(numImages * (1 - validationSplit));
  if (count > 0) return count;
  const wanted = `one that leaves some of ${numImages} images to train on`;
  return throwTypeError('fit: validationSplit', wanted, validationSplit);
}

/** Reads a batch of a dataset. The reader owns it, so tensors that the data do not hold are disposed here. */
export function readBatch(caller: string, model: TrainedModel, batch: unknown): TrainingData {
  try {
    if (isByName(batch) && 'xs' in batch) {
      const { xs, ys } = batch as { xs: unknown; ys?: unknown };
      return readPair(caller, model, xs, ys, undefined, 'xs');
    }
    const data = readAlone(caller, model, batch);
    if (data === null) {
      const got = isByName(batch) ? Object.keys(batch) : batch;
      throwTypeError(`${caller}: batch`, 'levels, { levels, condition } or { xs, ys }', got);
    }
    dispose((batch as { condition?: Tensor }).condition as Tensor); // the tensors made hold its numbers; anything but tensors is ignored
    return data;
  } catch (error) {
    dispose(batch as Tensor);
    throw error;
  }
}

/** Levels alone, or { levels, condition }; null if it is neither. */
function readAlone(caller: string, model: TrainedModel, given: unknown): TrainingData | null {
  if (isTensor(given) || isArrays(given)) return readLevels(caller, model, given, undefined);
  if (!isByName(given) || !('levels' in given)) return null;
  const { levels, condition } = readArguments(caller, given, declared);
  return readLevels(caller, model, levels, condition);
}

/** The tensors of inputs or labels, one or more, in the order of the model. */
export function checkTensors(what: string, given: unknown, order: readonly string[]): [Tensor, ...Tensor[]] {
  const named = isByName(given) ? (given as Record<string, unknown>) : null;
  const all: unknown[] = named === null ? [given].flat() : order.map((name) => named[name]);
  if (all.length === 0 || !all.every(isTensor))
    throwTypeError(what, `a tensor [N,H,W,C]${hintFor(given)}`, given);
  for (const tensor of all) checkReadable(what, tensor);
  return all as [Tensor, ...Tensor[]];
}

/** A hint for callers who gave something other than tensors. */
function hintFor(given: unknown): string {
  if (isDataset(given)) return ' (fitDataset and evaluateDataset take datasets)';
  return Array.isArray(given) && Array.isArray(given[0]) ? ', as tf.tensor4d makes from nested arrays' : '';
}

/** The shape of levels [N,H,W,C], if it fits the model. */
function checkLevelsShape(
  what: string,
  { imageShape, levels }: TrainedModel,
  { shape }: Pick<Levels, 'shape'>,
): [number, number, number, number] {
  const [n = 0, ...size] = shape;
  const isOneHot = shape.length === 5 || (shape[3] === levels && levels !== imageShape[2]);
  if (isOneHot) throwTypeError(what, 'integer levels [N,H,W,C], not one-hot', shape);
  if (shape.length !== 4) throwTypeError(what, 'integer levels [N,H,W,C]', shape);
  if (n === 0) throwTypeError(what, 'levels of at least one image', shape); // their mean, and so the weights, would be NaN
  return [n, ...resolveImageShape(what, imageShape, size)];
}
