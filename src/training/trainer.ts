import * as tf from '@tensorflow/tfjs-core';
import { Callback, CustomCallback, type CustomCallbackArgs, type History } from '@tensorflow/tfjs-layers';
import { eachLayer } from '../layers/pixel-layer';
import type { AutoregressiveModel } from '../models/autoregressive-model';
import * as methods from '../models/method-arguments';
import * as training from '../models/training-data';
import { anything, callback, type Given, integer, optional, readArguments } from '../runtime/core/arguments';
import { throwTypeError } from '../runtime/core/check';
import { numCores, type PoolWorker } from '../runtime/workers/workers';
import { askingAhead, batchesOf, type Dataset, tensorsOf } from './batches';
import { inTurn, type Team, teamOf } from './team';

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

/**
 * Makes a trainer, which trains a model on all cores. Each batch is cut into `shards` parts; workers compute the
 * gradients of parts, which are added up in a fixed order and applied by the model's own optimizer, here. So the weights
 * are the same bits for any number of workers, with dropout too, and those of `model.fit` but for rounding. Callbacks,
 * histories, `clipGradients`, `WeightAverage` and saved models work as with `model.fit`. Weights that you assign are sent
 * to the workers; numbers written in place, into what `dataSync()` returns on the cpu backend, are not seen.
 *
 * Workers run the wasm backend with this library's kernels, or cpu if `@tensorflow/tfjs-backend-wasm` is not installed;
 * the model itself may be on any backend. Each worker has the weights twice, a part's gradients, and what the layers
 * compute of a part's images. Only tfjs's own layers of noise, such as its `dropout`, draw other noise than with
 * `model.fit`. In a page, the bundler must find the workers' file:
 *
 * ```ts page
 * import { createTrainer, type AutoregressiveModel } from 'pixelcnn-layers';
 * const trainer = (model: AutoregressiveModel) =>
 *   createTrainer(model, {
 *     createWorker: () => new Worker(new URL('pixelcnn-layers/train-worker', import.meta.url), { type: 'module' }),
 *   });
 * ```
 *
 * Source: Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour" (2017),
 * https://arxiv.org/abs/1706.02677, section 3.
 *
 * @param model a compiled model, with losses and metrics of this library
 * @throws (rejects) TypeError naming the option that is wrong, a layer `batchNormalization`, which mixes images, or a
 * loss that cannot be sent to a worker; an Error if the model has not been compiled, or a worker cannot start the wasm
 * backend, does not know a layer, or does not answer within 60 seconds. The methods reject like those of the model, and
 * with an Error after `dispose`, or once no worker is left: if one ends, the others compute its parts again.
 * @example
 * ```js
 * import '@tensorflow/tfjs-backend-wasm';
 * import * as tf from '@tensorflow/tfjs-core';
 * import { bitsPerDim, createTrainer, pixelCNN } from 'pixelcnn-layers';
 * await tf.setBackend('wasm');
 * const model = pixelCNN({ imageShape: [8, 8, 1], levels: 4, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * model.compile({ optimizer: tf.train.adam(1e-2), loss: bitsPerDim });
 * const trainer = await createTrainer(model, { workers: 2 });
 * const levels = tf.zeros([32, 8, 8, 1], 'int32');
 * const { history } = await trainer.fit(levels, { epochs: 2, batchSize: 16, verbose: 0 });
 * console.log(history.loss.length); // 2
 * await trainer.dispose();
 * ```
 */
export async function createTrainer(
  model: AutoregressiveModel,
  options: TrainerOptions = {},
): Promise<Trainer> {
  const values = readArguments('createTrainer', options, trainerOptions);
  const { shards, workers = Math.min(shards, numCores()), ...others } = values;
  if (typeof model?.readArguments !== 'function')
    throwTypeError('createTrainer: model', 'a model of autoregressiveModel', model);
  if (model.optimizer === undefined)
    throw new Error('createTrainer: model: wanted one that has been compiled');
  eachLayer(model, (layer) => {
    const wanted = 'layers that compute each image by itself';
    if (layer.getClassName?.() === 'BatchNormalization')
      throwTypeError('createTrainer: model', wanted, layer.name);
  });
  return new Trainer(model, await teamOf(model, { workers, ...others }), shards);
}

/** Trains a model on all cores: see {@link createTrainer}. */
export class Trainer {
  /** Has calls of `trainOnBatch` take their steps one after the other. */
  private readonly inTurn = inTurn();

  /** @internal */
  constructor(
    private readonly model: AutoregressiveModel,
    private readonly team: Team,
    private readonly shards: number,
  ) {}

  /**
   * As `fit` of the model. Callbacks may assign weights. If anything else does while a batch is computed, it rejects
   * rather than apply gradients of other weights, as do the two methods below.
   */
  async fit(...given: training.LevelsOrPair<methods.AutoregressiveModelFitArgs>): Promise<History> {
    const { data, args } = this.model.readArguments('fit', given, methods.fitArguments);
    const { epochs, verbose, callbacks, initialEpoch, yieldEvery, batchSize, shuffle = true } = args;
    const tensors = tensorsOf(data);
    const [numImages = 0] = data.levels.shape;
    try {
      const numTrained = training.numTrained(data, args.validationSplit);
      await this.model.checkData('fit', data, batchSize);
      if (epochs === 0 || typeof shuffle !== 'boolean') return await this.model.fit(...given); // which trains nothing, or throws
      const rest = batchesOf(tensors, [numTrained, numImages], batchSize, false);
      const validationData = args.validationData ?? (numTrained < numImages ? rest : undefined);
      const validation = { validationData, validationBatchSize: batchSize };
      const batches = batchesOf(tensors, [0, numTrained], batchSize, shuffle);
      const ofDataset = { epochs, verbose, callbacks, initialEpoch, yieldEvery, ...validation };
      return await this.fitBatches('fit', batches, ofDataset);
    } finally {
      tf.dispose(data.made);
    }
  }

  /** As `fitDataset` of the model. The next batch is asked for while the current one is computed. */
  async fitDataset<T>(
    dataset: Parameters<AutoregressiveModel['fitDataset']>[0],
    args: methods.AutoregressiveModelFitDatasetArgs<T>,
  ): Promise<History> {
    if (!training.isDataset(dataset))
      throwTypeError('fitDataset: dataset', 'a dataset of tf.data (fit takes tensors)', dataset);
    const values = readArguments('fitDataset', args, methods.fitDatasetArguments);
    return this.fitBatches('fitDataset', dataset as Dataset, values);
  }

  /** As `trainOnBatch` of the model. */
  async trainOnBatch<Result extends number | number[] = number>(
    ...given: training.LevelsOrPair<methods.TrainOnBatchOptions>
  ): Promise<Result> {
    const { data } = this.model.readArguments('trainOnBatch', given, methods.trainOnBatchArguments);
    try {
      return await this.inTurn(async () => {
        const step = await this.stepOn(data);
        return withMethods(this.model, { makeTrainFunction: () => step }).trainOnBatch<Result>(...given);
      });
    } finally {
      tf.dispose(data.made);
    }
  }

  /** As `evaluate` of the model, but returns a number, or if `compile` was given metrics, a list of numbers. */
  async evaluate<Result extends number | number[] = number>(
    ...given: training.LevelsOrPair<methods.AutoregressiveModelEvaluateArgs>
  ): Promise<Result> {
    const { data, args } = this.model.readArguments('evaluate', given, methods.evaluateArguments);
    try {
      await this.model.checkEvaluated(data, args.batchSize);
      const numBatches = Math.ceil((data.levels.shape[0] as number) / args.batchSize);
      const { figures } = await this.team.compute(tensorsOf(data), numBatches, false);
      return (figures.length === 1 ? figures[0] : figures) as Result;
    } finally {
      tf.dispose(data.made);
    }
  }

  /** Ends all workers and releases their memory. Unfinished calls reject, as do later ones. The model stays. */
  dispose(): Promise<void> {
    return this.team.dispose();
  }

  /** Has workers compute a batch, and returns a step of training, which tfjs wants to be synchronous. */
  private async stepOn(data: training.TrainingData): Promise<() => tf.Scalar[]> {
    return (await this.team.compute(tensorsOf(data), this.shards, true)).step;
  }

  /** Trains by `fitDataset` of the model, which finds its steps and its validation computed by workers. */
  private async fitBatches(
    caller: string,
    dataset: Dataset,
    args: object & { validationData: unknown; validationBatchSize: number },
  ): Promise<History> {
    const { validationData, validationBatchSize, ...others } = args;
    const ahead = askingAhead(dataset, (batch) => training.readBatch(caller, this.model, batch));
    let step = (): tf.Scalar[] => [];
    let figures: tf.Scalar[] = [];
    let validated: number[] | undefined;
    const made: tf.Tensor[] = [];
    try {
      const validation = training.isDataset(validationData)
        ? (validationData as Dataset)
        : await this.validationBatches(caller, validationData, validationBatchSize, made);
      /** Validates as `fit` does: with the weights that the last step gives, whatever other callbacks assign after it. */
      const first = callbackOf({
        onBatchEnd: async (batch: number) => {
          if (caller === 'fit' && validation !== undefined && batch + 1 === dataset.size)
            validated = await this.figuresOf(validation);
        },
      });
      /** Has a batch computed with the weights that all other callbacks leave before it. */
      const last = callbackOf({
        onBatchBegin: async () => {
          step = await this.stepOn(ahead.current());
        },
      });
      const model = withMethods(this.model, {
        makeTrainFunction: () => () => (figures = step()),
        evaluateDataset: async (...given: Parameters<Trainer['figuresOf']>) =>
          (validated ?? (await this.figuresOf(...given))).map((figure) => tf.scalar(figure)),
      });
      const callbacks = [first, ...callbacksOf(others), last];
      return await model.fitDataset(
        ahead.dataset as never,
        { ...others, callbacks, validationData: validation } as never,
      );
    } finally {
      tf.dispose([made, figures]);
      ahead.dispose();
    }
  }

  /** Data to validate on, if any, as batches; tensors made for them are added to `made`. */
  private async validationBatches(caller: string, given: unknown, batchSize: number, made: tf.Tensor[]) {
    const pair = await this.model.readValidation(caller, given, batchSize, made);
    if (pair === undefined) return undefined;
    const data = training.readPair(caller, this.model, pair[0], pair[1], undefined);
    return batchesOf(tensorsOf(data), [0, data.levels.shape[0] as number], batchSize, false);
  }

  /** The loss and metrics of a dataset, or of some of its batches: means over their images. */
  private async figuresOf(dataset: Dataset, { batches = Infinity } = {}): Promise<number[]> {
    let sums: number[] = [];
    let numImages = 0;
    const iterator = await dataset.iterator();
    for (let k = 0; k < batches; k++) {
      const { value, done } = await iterator.next();
      if (value != null) {
        const data = training.readBatch('evaluateDataset', this.model, value);
        try {
          await this.model.checkData('evaluateDataset', data, k === 0 ? Infinity : 0);
          const { figures } = await this.team.compute(tensorsOf(data), this.shards, false);
          const [count = 0] = data.levels.shape;
          sums = figures.map((figure, i) => (sums[i] ?? 0) + figure * count);
          numImages += count;
        } finally {
          tf.dispose([data.inputs, data.labels]);
        }
      }
      if (done) break;
    }
    return sums.map((sum) => sum / numImages);
  }
}

/** The model with some of its methods replaced, as others of its methods find them. The model itself keeps its own. */
const withMethods = (
  model: AutoregressiveModel,
  methods: { readonly [Name in keyof AutoregressiveModel]?: unknown },
): AutoregressiveModel =>
  new Proxy(model, {
    get: (_, name, self) => Reflect.get(Object.hasOwn(methods, name) ? methods : model, name, self),
  });

/** A callback of tfjs with these methods. */
const callbackOf = (methods: Partial<Callback>): Callback =>
  Object.assign(new (class extends Callback {})(), methods);

/** Callbacks as tfjs makes them of what it is given. */
function callbacksOf({ callbacks, yieldEvery }: { callbacks?: unknown; yieldEvery?: unknown }): unknown[] {
  const given: unknown[] = [callbacks ?? {}].flat();
  if (given[0] instanceof Callback || given[0] instanceof CustomCallback) return given;
  return given.map((one) => new CustomCallback(one as CustomCallbackArgs, yieldEvery as never));
}
