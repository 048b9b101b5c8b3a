import { dispose, keep, max, slice, type Tensor, util } from '@tensorflow/tfjs-core';
import { throwTypeError } from '../runtime/core/check';
import { type ConditionShape, checkConditionValues, conditionLabels } from '../runtime/core/conditions';
import { isDataset, readBatch, type TrainedModel, type TrainingData } from './training-data';

// Checks the numbers of training data, which losses do not check, for speed.

const FAR_BELOW_DEFAULT = 32; // levels, with which a default of 256 is likely to be a mistake

type Batches = Pick<AsyncIterator<unknown>, 'next'>;

/**
 * Checks that labels are levels, images in [0, 1], conditions valid. The tensors may be disposed meanwhile.
 *
 * @param count the number of images to check, from the first
 * @param numConditions the number of conditions to check; by default all, unless they were tensors among the inputs
 * @throws TypeError (rejects) naming the caller, the tensor, the place and the number
 */
export async function checkNumbers(
  caller: string,
  model: TrainedModel,
  { images, conditions, levels: labels, isAlone, made }: TrainingData,
  count: number,
  numConditions = made.length > 0 ? Infinity : count,
): Promise<void> {
  const first = [labels, images].map((tensor) => read(tensor, count));
  const all = [...first, ...conditions.map((tensor) => read(tensor, numConditions))];
  const isFirst = count > 0 && model.hasDefaultLevels === true;
  if (isFirst) model.hasDefaultLevels = false;
  const highest = isFirst ? highestOf(labels) : 0;
  const [level, [levels = [], pixels = [], ...numbers]] = await Promise.all([highest, Promise.all(all)]);

  const last = model.levels - 1;
  const wrongLabel = levels.findIndex((level) => !(Number.isInteger(level) && level >= 0 && level <= last));
  if (wrongLabel >= 0) {
    const what = `${caller}: ${isAlone ? 'levels at [' : 'labels at ['}${indicesOf(wrongLabel, labels)}]`;
    const isFraction = (level: number) => Number.isFinite(level) && !Number.isInteger(level);
    const hint = levels.every((level) => level >= 0 && level <= 1) ? ', not normalized' : '';
    const wanted =
      isAlone && levels.some(isFraction)
        ? `whole levels 0 to ${last} (normalized images, without labels?)`
        : `integer levels 0 to ${last}${hint}`;
    throwTypeError(what, wanted, levels[wrongLabel]);
  }
  const wrongPixel = pixels.findIndex((value) => !(value >= 0 && value <= 1));
  if (wrongPixel >= 0) {
    const wanted = 'numbers from 0 to 1, as normalize returns';
    throwTypeError(`${caller}: images at [${indicesOf(wrongPixel, images)}]`, wanted, pixels[wrongPixel]);
  }
  for (const [i, label] of conditionLabels(`${caller}: condition`, model.conditions).entries())
    checkConditionValues(label, model.conditions[i] as ConditionShape, numbers[i] ?? []);
  // Images that are black throughout tell nothing.
  if (level > 0 && level < FAR_BELOW_DEFAULT)
    console.warn(
      `${caller}: no level is above ${level}, and the model has ${model.levels} levels, the default: give \`levels: ${level + 1}\` ` +
        'to the function that makes it, or `levels: 256` if these images are only dark',
    );
}

/** The highest level of all images, not only of those that are checked, which may be dark by chance. */
async function highestOf(labels: Tensor): Promise<number> {
  const highest = max(labels);
  try {
    return (await highest.data())[0] as number;
  } finally {
    highest.dispose();
  }
}

/** Wraps a dataset, or its iterator, to yield batches in tfjs's form. Checks the first `numChecked`. */
export function trainingDataset<D>(caller: string, model: TrainedModel, dataset: D, numChecked: number): D {
  let toCheck = numChecked;
  const ofTraining = (batches: Batches) =>
    overridden(batches, {
      async next() {
        const result = await batches.next();
        if (result.value == null) return result;
        const data = readBatch(caller, model, result.value);
        const { inputs: xs, labels: ys } = data;
        try {
          toCheck--;
          if (toCheck >= 0) await checkNumbers(caller, model, data, Infinity);
          return { ...result, value: { xs, ys } };
        } catch (error) {
          dispose([xs, ys]); // the caller never receives them
          throw error;
        }
      },
    });
  const given = dataset as { iterator(): Promise<Batches> } | Batches;
  if (isDataset(given))
    return overridden(given, { iterator: async () => ofTraining(await given.iterator()) }) as D;
  if (typeof given?.next === 'function') return ofTraining(given) as D;
  const other = caller.replace('Dataset', '');
  return throwTypeError(`${caller}: dataset`, `a dataset of tf.data (${other} takes tensors)`, dataset);
}

/** Makes results reject when they are read, if the check fails, since `evaluate` itself cannot wait for the check. */
export function afterCheck<F extends Tensor | Tensor[]>(figures: F, check: Promise<void>): F {
  check.catch(() => undefined); // reading the results rejects with it
  for (const figure of [figures].flat()) {
    const data = figure.data.bind(figure);
    figure.data = async () => {
      await check;
      return data() as Promise<never>;
    };
  }
  return figures;
}

/** The numbers of a tensor's first images. Holds a copy, since WebGPU cannot read a tensor once it is disposed. */
async function read(tensor: Tensor, count: number) {
  if (count === 0) return [];
  const isWhole = count >= (tensor.shape[0] ?? 1);
  const held = keep(isWhole ? tensor.clone() : slice(tensor, 0, count));
  try {
    return await held.data();
  } finally {
    held.dispose();
  }
}

/** An object with some methods replaced. */
const overridden = <T extends object>(object: T, methods: Partial<T>): T =>
  Object.assign(Object.create(object), methods);

/** Converts an index into all numbers of a tensor to an index on each axis. */
const indicesOf = (index: number, { shape }: Tensor): number[] =>
  shape.map((size, axis) => Math.floor(index / util.sizeFromShape(shape.slice(axis + 1))) % size);
