import { dispose, keep, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { throwTypeError } from '../core/check';
import { type ConditionShape, checkConditionValues, conditionLabels } from '../core/conditions';
import type { ImageModelShape } from './image-model';

// The debug mode of training: looks at the numbers that losses, for speed, do not look at.

/** What is asked of a model: what its labels and inputs must be. */
type Model = ImageModelShape & Pick<LayersModel, 'inputNames' | 'outputNames'>;

/** What tfjs takes for inputs or labels: a tensor, several, or several by name. */
type Given = Tensor | Tensor[] | { [name: string]: Tensor } | undefined;

/** What a batch of a dataset is. */
interface Batch {
  xs: Given;
  ys: Given;
}

/** What iterates a dataset. */
interface Batches {
  next(): Promise<IteratorResult<unknown>>;
}

interface Dataset {
  iterator(): Promise<Batches>;
}

/**
 * Reads labels and inputs and checks them: labels are levels, images in [0, 1], conditions what the model takes. The
 * tensors may be disposed meanwhile.
 *
 * @throws TypeError (rejects) naming the caller, which of them it is, the place and the number
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
    throwTypeError(`${caller}: labels at [${placeOf(wrongLabel, labels)}]`, wanted, levels[wrongLabel]);
  }
  const wrongPixel = pixels.findIndex((value) => !(value >= 0 && value <= 1));
  if (wrongPixel >= 0) {
    const wanted = 'numbers from 0 to 1, as normalize makes them';
    throwTypeError(`${caller}: images at [${placeOf(wrongPixel, images)}]`, wanted, pixels[wrongPixel]);
  }
  for (const [i, label] of conditionLabels(`${caller}: condition`, model.conditions).entries())
    checkConditionValues(label, model.conditions[i] as ConditionShape, numbers[i] ?? []);
}

/** A dataset, or what iterates one, whose batches are checked as they come. */
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
          dispose([batch.xs, batch.ys]); // nobody else gets them
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

/** Figures that reject, when they are read, with what a check finds: `evaluate` cannot wait for it. */
export function afterCheck<Figures extends Tensor | Tensor[]>(
  figures: Figures,
  check: Promise<void>,
): Figures {
  check.catch(() => undefined); // it is told to who reads
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

/** In the order of the model; nothing where tfjs will refuse what came. */
function tensorsOf(given: Given, names: readonly string[]): (Tensor | undefined)[] {
  const all = Array.isArray(given) || isTensor(given) ? [given].flat() : names.map((name) => given?.[name]);
  return all.filter((item) => item === undefined || isTensor(item));
}

const isTensor = (given: unknown): given is Tensor => typeof (given as Tensor | null)?.data === 'function';

/** The index on each axis, of an index into all numbers of a tensor. */
function placeOf(index: number, tensor: Tensor | undefined): number[] {
  let rest = index;
  const place: number[] = [];
  for (const size of [...(tensor?.shape ?? [])].reverse()) {
    place.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return place;
}
