import { dispose, keep, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { throwTypeError } from '../core/check';
import { type ConditionShape, checkConditionValues, conditionLabels } from '../core/conditions';
import { isTensor } from './conditions';
import type { ImageModelShape } from './image-model';

// The debug mode of training: checks the numbers that losses, for speed, do not check.

/** What a model requires of its labels and inputs. */
type Model = ImageModelShape & Pick<LayersModel, 'inputNames' | 'outputNames'>;

/** Inputs or labels as tfjs takes them: a tensor, a list of tensors, or tensors by name. */
type Given = Tensor | Tensor[] | { [name: string]: Tensor } | undefined;

/** A batch of a dataset. */
interface Batch {
  xs: Given;
  ys: Given;
}

/** The iterator of a dataset. */
interface Batches {
  next(): Promise<IteratorResult<unknown>>;
}

interface Dataset {
  iterator(): Promise<Batches>;
}

/**
 * Reads labels and inputs and checks them: labels must be levels, images in [0, 1], conditions valid for the model. The
 * tensors may be disposed of in the meantime.
 *
 * @throws TypeError (rejects) naming the caller, the tensor, the place and the number
 */
export async function checkBatch(caller: string, model: Model, xs: Given, ys: Given): Promise<void> {
  const [images, ...conditions] = tensorsOf(xs, model.inputNames);
  const [labels] = tensorsOf(ys, model.outputNames);
  const [levels = [], pixels = [], ...numbers] = await Promise.all([labels, images, ...conditions].map(read));

  const last = model.levels - 1;
  const wrongLabel = levels.findIndex((level) => !(Number.isInteger(level) && level >= 0 && level <= last));
  if (wrongLabel >= 0) {
    const hint = levels.every((level) => level >= 0 && level <= 1) ? ', not normalized' : '';
    const wanted = `integer levels 0 to ${last}${hint}`;
    throwTypeError(`${caller}: labels at [${indicesOf(wrongLabel, labels)}]`, wanted, levels[wrongLabel]);
  }
  const wrongPixel = pixels.findIndex((value) => !(value >= 0 && value <= 1));
  if (wrongPixel >= 0) {
    const wanted = 'numbers from 0 to 1, as normalize makes them';
    throwTypeError(`${caller}: images at [${indicesOf(wrongPixel, images)}]`, wanted, pixels[wrongPixel]);
  }
  for (const [i, label] of conditionLabels(`${caller}: condition`, model.conditions).entries())
    checkConditionValues(label, model.conditions[i] as ConditionShape, numbers[i] ?? []);
}

/** A dataset, or its iterator, whose batches are checked as they come. */
export function checkedDataset<D extends Dataset | Batches>(caller: string, model: Model, dataset: D): D {
  const checkedBatches = (batches: Batches) =>
    overridden(batches, {
      async next() {
        const result = await batches.next();
        const batch = result.value as Batch | null;
        if (batch == null) return result;
        try {
          await checkBatch(caller, model, batch.xs, batch.ys);
          return result;
        } catch (error) {
          dispose([batch.xs, batch.ys]); // nobody else will dispose of them
          throw error;
        }
      },
    });
  const checked =
    'next' in dataset
      ? checkedBatches(dataset)
      : overridden<Dataset>(dataset, { iterator: async () => checkedBatches(await dataset.iterator()) });
  return checked as D;
}

/** Results that reject when they are read, if the check fails: `evaluate` itself cannot wait for the check. */
export function afterCheck<Figures extends Tensor | Tensor[]>(
  figures: Figures,
  check: Promise<void>,
): Figures {
  check.catch(() => undefined); // whoever reads the results gets the error
  for (const figure of [figures].flat()) {
    const data = figure.data.bind(figure);
    figure.data = async () => {
      await check;
      return data() as Promise<never>;
    };
  }
  return figures;
}

/** The numbers of a tensor, which WebGPU could not read once it is disposed. */
async function read(tensor: Tensor | undefined) {
  if (tensor === undefined) return undefined;
  const held = keep(tensor.clone());
  try {
    return await held.data();
  } finally {
    held.dispose();
  }
}

/** The same object with some methods replaced. */
const overridden = <T extends object>(object: T, methods: Partial<T>): T =>
  Object.assign(Object.create(object), methods);

/** In the order of the model; empty if tfjs is going to refuse the input. */
function tensorsOf(given: Given, names: readonly string[]): (Tensor | undefined)[] {
  const all = Array.isArray(given) || isTensor(given) ? [given].flat() : names.map((name) => given?.[name]);
  return all.filter((item) => item === undefined || isTensor(item));
}

/** The index on each axis, of an index into all numbers of a tensor. */
function indicesOf(index: number, tensor: Tensor | undefined): number[] {
  let rest = index;
  const indices: number[] = [];
  for (const size of [...(tensor?.shape ?? [])].reverse()) {
    indices.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return indices;
}
