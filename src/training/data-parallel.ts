import * as tf from '@tensorflow/tfjs-core';
import { Callback, CustomCallback, type CustomCallbackArgs, type History } from '@tensorflow/tfjs-layers';
import { eachLayer } from '../layers/pixel-layer';
import type { AutoregressiveModel } from '../models/autoregressive-model';
import { checkNumbers } from '../models/check-labels';
import * as methods from '../models/method-arguments';
import * as training from '../models/training-data';
import { anything, callback, type Given, integer, optional, readArguments } from '../runtime/core/arguments';
import { throwTypeError } from '../runtime/core/check';
import { numCores, type PoolWorker } from '../runtime/pool/workers';
import { layoutOf, trainedWeights } from './shards';
import { type Computed, teamOf } from './team';

interface Batches {
  next(): Promise<IteratorResult<unknown>>;
}

/** A dataset, as tfjs uses it. */
interface Dataset {
  readonly size?: number;
  iterator(): Promise<Batches>;
}

const trainerOptions = {
  /** The number of workers. @default the number of cores of the machine, at most `shards` */
  workers: optional(integer({ from: 1 })),
  /** Into how many parts a batch is cut, at most its images. Results depend on it, not on `workers`. @default 8 */
  shards: optional(integer({ from: 1 }), 8),
  /** Where the files of the wasm backend are, as `setWasmPaths` takes it; Node needs none. */
  wasmPaths: optional(anything<string | Record<string, string> | undefined>()),
  /** Starts a worker that runs `pixelcnn-layers/train-worker`, and imports your own layers, if the default cannot. */
  createWorker: optional(callback<() => PoolWorker>()),
};

/** Options of {@link createTrainer}. */
export interface TrainerOptions extends Given<typeof trainerOptions> {}

/** Trains a model on all cores: see {@link createTrainer}. */
export interface Trainer {
  /**
   * As `fit` of the model. Callbacks may assign weights. If anything else does while a batch is computed, it rejects
   * rather than apply gradients of other weights, as do the two methods below.
   */
  fit(...args: training.LevelsOrPair<methods.AutoregressiveModelFitArgs>): Promise<History>;
  /** As `fitDataset` of the model. The next batch is asked for while the current one is computed. */
  fitDataset<T>(
    dataset: Parameters<AutoregressiveModel['fitDataset']>[0],
    args: methods.AutoregressiveModelFitDatasetArgs<T>,
  ): Promise<History>;
  /** As `trainOnBatch` of the model. */
  trainOnBatch<Result extends number | number[] = number>(
    ...args: training.LevelsOrPair<methods.TrainOnBatchOptions>
  ): Promise<Result>;
  /** As `evaluate` of the model, but returns a number, or if `compile` was given metrics, a list of numbers. */
  evaluate<Result extends number | number[] = number>(
    ...args: training.LevelsOrPair<methods.AutoregressiveModelEvaluateArgs>
  ): Promise<Result>;
  /** Ends all workers and releases their memory. Unfinished calls reject, as do later ones. The model stays. */
  dispose(): Promise<void>;
}

/** Checks the arguments of {@link createTrainer}, and makes the trainer once its workers are ready. */
export async function dataParallel(model: AutoregressiveModel, given: TrainerOptions): Promise<Trainer> {
  const values = readArguments('createTrainer', given, trainerOptions);
  const { shards, workers = Math.min(shards, numCores()), ...options } = values;
  if (typeof model?.['makeTrainFunction'] !== 'function' || model.distribution === undefined)
    throwTypeError('createTrainer: model', 'a model of autoregressiveModel', model);
  if (model.optimizer === undefined)
    throw new Error('createTrainer: model: wanted one that has been compiled');
  eachLayer(model, (layer) => {
    const wanted = 'layers that compute each image by itself';
    if (layer.getClassName?.() === 'BatchNormalization')
      throwTypeError('createTrainer: model', wanted, layer.name);
  });
  const team = await teamOf(model, { workers, ...options });

  let last: Promise<unknown> = Promise.resolve(); // settles when the last call of trainOnBatch has
  /** Trains on a batch after those before it. */
  function inTurn<T>(train: () => Promise<T>): Promise<T> {
    const call = last.then(train);
    last = call.catch(() => undefined);
    return call;
  }

  /**
   * Has workers compute a batch. Returns a step of training, which tfjs wants to be synchronous: it applies the gradients,
   * and returns loss and metrics.
   */
  async function prepared(data: training.TrainingData): Promise<() => tf.Scalar[]> {
    const computed = await team.compute(tensorsOf(data), shards, true);
    const gradients = computed.gradients as Float32Array;
    return () => {
      if (!computed.isCurrent()) {
        const cause = 'weights of the model were assigned while their gradients were computed';
        throw new Error(`trainer: ${cause}, or it was compiled again`);
      }
      try {
        return applied(model, computed.figures, gradients);
      } finally {
        team.release(gradients);
      }
    };
  }

  /** The model, with another step of training, and validation by workers. */
  function withStep(step: () => tf.Scalar[], validate = figuresOf): AutoregressiveModel {
    const replaced = new Map<unknown, unknown>([
      ['makeTrainFunction', () => step],
      ['evaluateDataset', async (...args: Parameters<typeof validate>) => (await validate(...args)).map((figure) => tf.scalar(figure))],
    ]); // biome-ignore format: one a line
    return new Proxy(model, {
      get: (_, name, self) => replaced.get(name) ?? Reflect.get(model, name, self),
    });
  }

  /** The loss and metrics of a dataset, or of some of its batches. */
  async function figuresOf(dataset: Dataset, { batches = Infinity } = {}): Promise<number[]> {
    const mean = meanFigures();
    const iterator = await dataset.iterator();
    for (let k = 0; k < batches; k++) {
      const { value, done } = await iterator.next();
      if (value != null) {
        const data = training.readBatch('evaluateDataset', model, value);
        try {
          await checkNumbers('evaluateDataset', model, data, k === 0 ? model['numChecked'](Infinity) : 0);
          mean.add(await team.compute(tensorsOf(data), shards, false), data.levels.shape[0] as number);
        } finally {
          tf.dispose([data.inputs, data.labels]);
        }
      }
      if (done) break;
    }
    return mean.figures();
  }

  async function fitDataset(
    caller: string,
    dataset: Dataset,
    given: methods.AutoregressiveModelFitDatasetArgs<unknown>,
  ): Promise<History> {
    const { validationData, validationBatchSize, ...args } = readArguments(
      caller,
      given,
      methods.fitDatasetArguments,
    );
    const ahead = askingAhead(dataset, (batch) => training.readBatch(caller, model, batch));
    let step: () => tf.Scalar[] = () => [];
    let figures: tf.Scalar[] = [];
    /** Has a batch computed with the weights that all other callbacks leave before it. */
    const last = callbackOf({
      async onBatchBegin() {
        const computed = prepared(ahead.current());
        ahead.ask(); // while the workers compute
        step = await computed;
      },
    });
    const made: tf.Tensor[] = [];
    try {
      const validation = training.isDataset(validationData)
        ? (validationData as Dataset)
        : await validationBatches(caller, validationData, validationBatchSize, made);
      let validated: number[] | undefined;
      /** Validates as `fit` does: with the weights that the last step gives, whatever other callbacks assign after it. */
      const first = callbackOf({
        async onBatchEnd(batch: number) {
          if (caller === 'fit' && validation !== undefined && batch + 1 === dataset.size)
            validated = await figuresOf(validation);
        },
      });
      return await withStep(
        () => (figures = step()),
        async (...given) => validated ?? figuresOf(...given),
      ).fitDataset(
        ahead.dataset as never,
        {
          ...args,
          callbacks: [first, ...callbacksOf(args), last],
          validationData: validation,
        } as object as methods.AutoregressiveModelFitDatasetArgs<never>,
      );
    } finally {
      tf.dispose([made, figures]);
      ahead.dispose();
    }
  }

  /** Data to validate on, if any, as batches; tensors made for them are added to `made`. */
  async function validationBatches(caller: string, given: unknown, batchSize: number, made: tf.Tensor[]) {
    const pair = await model['readValidation'](caller, given, batchSize, made);
    if (pair === undefined) return undefined;
    const data = training.readPair(caller, model, pair[0], pair[1], undefined);
    return batchesOf(tensorsOf(data), [0, data.levels.shape[0] as number], batchSize, false);
  }

  return {
    async fit(...given) {
      const { data, args } = model['readArguments']('fit', given, methods.fitArguments);
      const { batchSize, validationSplit, validationData, shuffle = true } = args;
      const numImages = data.levels.shape[0] as number;
      const numTrained = Math.floor(numImages * (1 - validationSplit));
      try {
        if (numTrained === 0) {
          const wanted = `one that leaves images to train on, of ${numImages}`;
          throwTypeError('fit: validationSplit', wanted, validationSplit);
        }
        await checkNumbers('fit', model, data, model['numChecked'](batchSize));
        if (args.epochs === 0 || typeof shuffle !== 'boolean') return await model.fit(...given); // which trains nothing, or throws
        const tensors = tensorsOf(data);
        const rest = batchesOf(tensors, [numTrained, numImages], batchSize, false);
        return await fitDataset('fit', batchesOf(tensors, [0, numTrained], batchSize, Boolean(shuffle)), {
          epochs: args.epochs,
          verbose: args.verbose,
          callbacks: args.callbacks,
          initialEpoch: args.initialEpoch,
          yieldEvery: args.yieldEvery,
          validationBatchSize: batchSize,
          validationData: validationData ?? (numTrained < numImages ? rest : undefined),
        } as object as methods.AutoregressiveModelFitDatasetArgs<unknown>);
      } finally {
        tf.dispose(data.made);
      }
    },
    async fitDataset(dataset, args) {
      if (!training.isDataset(dataset))
        throwTypeError('fitDataset: dataset', 'a dataset of tf.data (fit takes tensors)', dataset);
      return fitDataset('fitDataset', dataset as Dataset, args);
    },
    async trainOnBatch<Result extends number | number[]>(
      ...given: training.LevelsOrPair<methods.TrainOnBatchOptions>
    ) {
      const { data } = model['readArguments']('trainOnBatch', given, methods.trainOnBatchArguments);
      try {
        return await inTurn(async () => withStep(await prepared(data)).trainOnBatch<Result>(...given));
      } finally {
        tf.dispose(data.made);
      }
    },
    async evaluate<Result>(...given: training.LevelsOrPair<methods.AutoregressiveModelEvaluateArgs>) {
      const { data, args } = model['readArguments']('evaluate', given, methods.evaluateArguments);
      try {
        const count = model['numChecked'](data.isAlone ? args.batchSize : 0);
        await checkNumbers('evaluate', model, data, count, count);
        const batches = Math.ceil((data.levels.shape[0] as number) / args.batchSize);
        const { figures } = await team.compute(tensorsOf(data), batches, false);
        return (figures.length === 1 ? figures[0] : figures) as Result;
      } finally {
        tf.dispose(data.made);
      }
    },
    dispose: team.dispose,
  };
}

/** A dataset whose next batch can be asked for before tfjs asks for it. */
function askingAhead(dataset: Dataset, read: (batch: unknown) => training.TrainingData) {
  let current: training.TrainingData | undefined;
  let ask: (() => Promise<IteratorResult<unknown>>) | undefined; // undefined after the last batch
  let upcoming: Promise<IteratorResult<unknown>> | undefined;
  return {
    dataset: {
      ...dataset,
      async iterator() {
        const batches = await dataset.iterator();
        return {
          async next() {
            const { value, done = false } = await (upcoming ?? batches.next());
            upcoming = undefined;
            ask = done ? undefined : async () => batches.next();
            if (value == null) return { value, done };
            current = read(value);
            return { value: { xs: current.inputs, ys: current.labels }, done };
          },
        };
      },
    },
    current: () => current as training.TrainingData,
    ask(): void {
      upcoming = ask?.();
      upcoming?.catch(() => undefined); // whoever awaits it gets the error
    },
    /** Releases what is left over if training ended early. */
    dispose(): void {
      tf.dispose([current?.inputs, current?.labels] as tf.TensorContainer);
      upcoming?.then(({ value }) => tf.dispose(value)).catch(() => undefined);
    },
  };
}

/** A callback of tfjs with these methods. */
const callbackOf = (methods: Partial<Callback>): Callback =>
  Object.assign(new (class extends Callback {})(), methods);

/** Callbacks as tfjs makes them of what it is given. */
function callbacksOf({ callbacks, yieldEvery }: { callbacks?: unknown; yieldEvery?: unknown }): unknown[] {
  const given: unknown[] = [callbacks ?? {}].flat();
  if (given[0] instanceof Callback || given[0] instanceof CustomCallback) return given;
  return given.map((one) => new CustomCallback(one as CustomCallbackArgs, yieldEvery as never));
}

/** Inputs in the order of the model, then labels. */
const tensorsOf = ({ images, conditions, levels }: training.TrainingData): tf.Tensor[] => [
  images,
  ...conditions,
  levels,
];

/** Takes a step of the model's optimizer, on a loss whose gradients are those that workers have computed. */
function applied(
  model: AutoregressiveModel,
  figures: readonly number[],
  gradients: Float32Array,
): tf.Scalar[] {
  const weights = trainedWeights(model);
  const { ranges } = layoutOf(weights);
  const variables = weights.map((weight) => weight.read() as tf.Variable);
  const [loss, ...metrics] = figures.map((figure) => tf.scalar(figure)) as [tf.Scalar, ...tf.Scalar[]];
  const known = tf.customGrad(() => ({
    value: loss.clone(),
    gradFunc: () =>
      variables.map(({ shape }, i) => tf.tensor(gradients.slice(...(ranges[i] as [number, number])), shape)),
  }));
  const total = model.optimizer.minimize(
    () => known(...variables) as tf.Scalar,
    true,
    variables,
  ) as tf.Scalar;
  loss.dispose();
  return [total, ...metrics];
}

/** Consecutive images as a dataset of batches; with `isShuffled`, in another order at each pass. */
function batchesOf(
  tensors: readonly tf.Tensor[],
  [from, end]: readonly [number, number],
  batchSize: number,
  isShuffled: boolean,
): Dataset {
  return {
    size: Math.ceil((end - from) / batchSize),
    async iterator() {
      const order = Int32Array.from({ length: end - from }, (_, i) => from + i);
      if (isShuffled) tf.util.shuffle(order as never); // its type leaves out typed arrays
      let at = 0;
      return {
        async next() {
          const images = order.subarray(at, at + batchSize);
          at += batchSize;
          const batch = tf.tidy(() =>
            tensors.map((tensor) => tf.gather(tensor, tf.tensor1d(images, 'int32'))),
          );
          return { value: { xs: batch.slice(0, -1), ys: batch.at(-1) }, done: at >= order.length };
        },
      };
    },
  };
}

/** The mean of figures over batches, by their numbers of images. */
function meanFigures() {
  let [sums, count] = [[] as number[], 0];
  return {
    add({ figures }: Computed, numImages: number): void {
      sums = figures.map((figure, i) => (sums[i] ?? 0) + figure * numImages);
      count += numImages;
    },
    figures: () => sums.map((sum) => sum / count),
  };
}
