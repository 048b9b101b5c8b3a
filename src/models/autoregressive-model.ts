import * as tf from '@tensorflow/tfjs-core';
import { LayersModel, type ModelCompileArgs, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { eachLayer } from '../layers/pixel-layer';
import type { Applied } from '../layers/types';
import { fuseAdam } from '../ops/adam';
import { anything, type Declaration, type Given, optional, readArguments } from '../runtime/core/arguments';
import { throwTypeError } from '../runtime/core/check';
import type { ConditionShape } from '../runtime/core/conditions';
import { afterCheck, checkNumbers, trainingDataset } from './check-labels';
import { type Condition, modelInputs } from './conditions';
import { checkNotDisposed, type ImageModelShape, imageModelShape } from './image-model';
import { withFunctions } from './loss';
import * as methods from './method-arguments';
import { SavedModel } from './saved-model';
import { acceptLevels, disposeAbandonedTape, separateRepeatedInputs } from './tfjs-workarounds';
import type { TrainedInParts } from './trained-in-parts';
import * as training from './training-data';

type DatasetToFit<T> = Parameters<typeof LayersModel.prototype.fitDataset<T>>[0];

const declared = () => ({
  /**
   * A symbolic image [N,H,W,C], or a list of the image and conditions of different kinds, in any
   * order: a class [N,1] (read by a layer `oneHotClass`), a vector [N,K] or a map [N,H,W,K].
   */
  inputs: anything<SymbolicTensor | SymbolicTensor[]>(),
  /**
   * The symbolic logits [N,H,W,C,L], or parameters [N,H,W,P] from a last layer that has a distribution.
   */
  outputs: anything<Applied>(),
  /** Name of the model. */
  name: optional(anything<string | undefined>()),
});

/** Arguments of {@link autoregressiveModel}. */
export interface AutoregressiveModelArgs extends Given<ReturnType<typeof declared>> {}

/**
 * A model from images [N,H,W,C], normalized to [0, 1], to logits [N,H,W,C,L] for every channel of every pixel given the
 * values before it, or to the parameters [N,H,W,P] of its last layer's distribution, such as `logisticMixture`. It
 * accepts any graph of layers; `checkCausality` tests whether the graph respects the order of values.
 *
 * It is a `tf.LayersModel` that trains on integer levels [N,H,W,C] (int32 or float32), alone or as labels of
 * normalized inputs, never on one-hot vectors. Losses and metrics receive labels and outputs. Loading
 * restores this class, loss and metrics, and a model saved with `includeOptimizer` trains on as if it had
 * never been saved. Only your own loss function must be passed to `compile` again.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, equations 1
 * and 2.
 *
 * @throws TypeError if the graph is not [N,H,W,C] -> [N,H,W,C,L] or [N,H,W,P], or if `compile`
 * receives the name of a loss or metric other than 'bitsPerDim' or 'negativeLogLikelihood'.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { input } from '@tensorflow/tfjs-layers';
 * import { autoregressiveModel, bitsPerDim, maskedConv2d, pixelLogits } from 'pixelcnn-layers';
 * const image = input({ shape: [8, 8, 1] });
 * const features = maskedConv2d({ filters: 16, kernelSize: 5, maskType: 'A', imageChannels: 1, activation: 'relu' }).apply(image);
 * const mixed = maskedConv2d({ filters: 4, kernelSize: 1, imageChannels: 1 }).apply(features);
 * const logits = pixelLogits({ imageChannels: 1, levels: 4 }).apply(mixed);
 * const model = autoregressiveModel({ inputs: image, outputs: logits });
 * model.compile({ optimizer: tf.train.adam(1e-3), loss: bitsPerDim });
 * const levels = tf.randomUniform([20, 8, 8, 1], 0, 4, 'int32', 1);
 * const { history } = await model.fit(levels, { epochs: 2, batchSize: 10, validationSplit: 0.2, verbose: 0 });
 * console.log(model.levels, history.val_loss.length); // 4 2
 * ```
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the constructor assigns them
export class AutoregressiveModel extends SavedModel implements TrainedInParts {
  /** @nocollapse */
  static override className = 'AutoregressiveModel';

  /** Which numbers are checked; see `compile`. */
  private checkLabels: boolean | undefined;
  /** @internal */
  firstImage = 0;
  /** @internal */
  noiseSeed = Math.random();
  /** Whether its levels are the default of a factory, and no labels have been compared with them yet. @internal */
  hasDefaultLevels = false;
  /** Whether `trainOnBatch` has checked a batch since the model was compiled. */
  private hasCheckedBatch = false;

  constructor(args: ConstructorParameters<typeof LayersModel>[0]) {
    super(args);
    Object.assign(this, imageModelShape('AutoregressiveModel', this));
    separateRepeatedInputs(this);
  }

  /** The only one of `conditions`, or null if there are none or several. */
  get condition(): ConditionShape | null {
    const [condition = null, ...others] = this.conditions;
    return others.length === 0 ? condition : null;
  }

  /**
   * Trains on levels alone [N,H,W,C], a tensor or an image set, which are both the labels and, normalized,
   * the inputs; or, as in tfjs, on inputs `x` and labels `y`. Pass conditions as `condition`; with labels they may
   * also be among the inputs, in the order of `conditions`. `validationSplit` splits all of them.
   *
   * @throws TypeError (rejects) naming what does not fit the model, or, in the first batch, the first number that is not
   * a level (see `checkLabels` of `compile`)
   */
  override async fit(
    ...given: training.LevelsOrPair<methods.AutoregressiveModelFitArgs>
  ): ReturnType<LayersModel['fit']> {
    const { data, args } = this.readArguments('fit', given, methods.fitArguments);
    const made = [...data.made];
    try {
      const { validationData, batchSize, ...rest } = args;
      training.numTrained(data, args.validationSplit);
      await this.checkData('fit', data, batchSize);
      return await super.fit(data.inputs, data.labels, {
        ...rest,
        batchSize,
        validationData: await this.readValidation('fit', validationData, batchSize, made),
      } as object as Parameters<LayersModel['fit']>[2]); // tfjs also takes tensors by name, but its type does not
    } finally {
      tf.dispose(made);
    }
  }

  /** As in tfjs. Batches are levels alone [N,H,W,C], `{ levels, condition }`, or `{ xs, ys }`. Rejects as `fit`. */
  override async fitDataset<T>(
    dataset: DatasetToFit<T>,
    options: methods.AutoregressiveModelFitDatasetArgs<T>,
  ): ReturnType<LayersModel['fitDataset']> {
    const { validationData, ...args } = readArguments('fitDataset', options, methods.fitDatasetArguments);
    checkNotDisposed('fitDataset: model', this);
    const made: tf.Tensor[] = [];
    try {
      return await super.fitDataset(trainingDataset('fitDataset', this, dataset, this.numChecked(1)), {
        ...args,
        validationData: training.isDataset(validationData)
          ? validationData
          : await this.readValidation('fitDataset', validationData, args.validationBatchSize, made),
      } as object as methods.FitDatasetArgs<T>);
    } finally {
      tf.dispose(made);
    }
  }

  /**
   * Trains for one step on levels alone, as `fit`, or on inputs and labels. Conditions are passed as for `fit`.
   *
   * @typeParam Result the loss, or with metrics a list that starts with the loss: `trainOnBatch<number[]>`
   * @throws TypeError (rejects) as `fit`
   */
  override async trainOnBatch<Result extends number | number[] = number>(
    ...given: training.LevelsOrPair<methods.TrainOnBatchOptions>
  ): Promise<Result> {
    const { data } = this.readArguments('trainOnBatch', given, methods.trainOnBatchArguments);
    try {
      await this.checkData('trainOnBatch', data, this.hasCheckedBatch ? 0 : Infinity);
      this.hasCheckedBatch = true;
      return (await super.trainOnBatch(data.inputs, data.labels)) as Result;
    } finally {
      tf.dispose(data.made);
    }
  }

  /**
   * Computes the loss of levels alone, as `fit` takes them, or, as in tfjs, of inputs and labels. Conditions are passed
   * as for `fit`. Numbers in tensors of conditions are checked only if labels are, and otherwise an invalid
   * class acts as no class.
   *
   * @typeParam Result as of `trainOnBatch`: `evaluate<tf.Scalar[]>`
   * @throws TypeError naming what does not fit the model; for invalid numbers, when the results are read
   */
  override evaluate<Result extends tf.Scalar | tf.Scalar[] = tf.Scalar>(
    ...given: training.LevelsOrPair<methods.AutoregressiveModelEvaluateArgs>
  ): Result {
    const { data, args } = this.readArguments('evaluate', given, methods.evaluateArguments);
    try {
      // tfjs also takes tensors by name, but its type does not.
      const [inputs, labels] = [data.inputs as tf.Tensor[], data.labels as tf.Tensor[]];
      const figures = super.evaluate(inputs, labels, args as object) as Result;
      const check = this.checkEvaluated(data, args.batchSize);
      return check === null ? figures : afterCheck(figures, check);
    } finally {
      tf.dispose(data.made);
    }
  }

  /** @internal */
  readArguments<D extends Declaration & typeof methods.trainOnBatchArguments>(
    caller: string,
    [x, second, third]: readonly unknown[],
    declared: D,
  ) {
    const isAlone = third === undefined && training.isOptions(second, this);
    const args = readArguments(caller, (isAlone ? second : third) ?? {}, declared);
    checkNotDisposed(`${caller}: model`, this);
    const { condition, ...rest } = args as typeof args & { condition: Condition | undefined };
    const data = isAlone
      ? training.readLevels(caller, this, x, condition)
      : training.readPair(caller, this, x, second, condition);
    return { data, args: rest };
  }

  /** @internal */
  async readValidation(caller: string, given: unknown, size: number, made: tf.Tensor[]) {
    if (given === undefined) return undefined;
    const what = `${caller}: validationData`;
    const data = training.readValidationData(what, this, given);
    made.push(...data.made);
    await this.checkData(what, data, size);
    return [data.inputs, data.labels];
  }

  /** @internal */
  checkData(caller: string, data: training.TrainingData, first: number): Promise<void> {
    return checkNumbers(caller, this, data, this.numChecked(first));
  }

  /** @internal */
  checkEvaluated(data: training.TrainingData, batchSize: number): Promise<void> | null {
    const count = this.numChecked(data.isAlone ? batchSize : 0);
    return count === 0 ? null : checkNumbers('evaluate', this, data, count, count);
  }

  /** The number of images or batches that are checked, by default `first`. */
  private numChecked(first: number): number {
    if (this.checkLabels === undefined) return first;
    return this.checkLabels ? Infinity : 0;
  }

  /** As in tfjs, on batches as for `fitDataset`. Resolves to a list if there are metrics, as for `evaluate`. */
  override async evaluateDataset<Result extends tf.Scalar | tf.Scalar[] = tf.Scalar>(
    dataset: Parameters<LayersModel['evaluateDataset']>[0],
    args: methods.EvaluateDatasetArgs = {},
  ): Promise<Result> {
    readArguments('evaluateDataset', args, methods.evaluateDatasetArguments);
    checkNotDisposed('evaluateDataset: model', this);
    const batches = trainingDataset('evaluateDataset', this, dataset, this.numChecked(1));
    return super.evaluateDataset(batches, args) as Promise<Result>;
  }

  /**
   * Computes logits [N,H,W,C,L], or parameters [N,H,W,P], in batches, as in tfjs. Conditions are passed as for `fit`.
   *
   * @throws TypeError if conditions are not as many as images
   */
  override predict(
    x: tf.Tensor | tf.Tensor[],
    options: methods.AutoregressiveModelPredictArgs = {},
  ): tf.Tensor {
    const { condition, ...args } = readArguments('predict', options, methods.predictArguments);
    checkNotDisposed('predict: model', this);
    const [images] = training.checkTensors('predict: x', x, this.inputNames);
    if (images.rank !== 4) throwTypeError('predict: x', 'a tensor of images [N,H,W,C]', images.shape); // tfjs's own check leaks a tensor
    const { inputs, made } = modelInputs('predict', this, x, condition);
    try {
      return super.predict(inputs, args as object) as tf.Tensor; // of its one output
    } finally {
      tf.dispose(made);
    }
  }

  /** Computes logits [N,H,W,C,L], or parameters [N,H,W,P], for one batch, as in tfjs. */
  declare predictOnBatch: (x: tf.Tensor | tf.Tensor[]) => tf.Tensor;

  /** As in tfjs, but with this class's labels, and `checkLabels` to debug a new program. */
  override compile(options: methods.AutoregressiveModelCompileArgs): void {
    const values = readArguments('compile', options, methods.compileArguments);
    const { checkLabels, optimizer, loss, metrics } = values;
    if (typeof optimizer !== 'string' && typeof optimizer?.minimize !== 'function') {
      const wanted = 'an optimizer, such as tf.train.adam(1e-3), or its name';
      throwTypeError('compile: optimizer', wanted, optimizer);
    }
    const { optimizer: before, isOptimizerOwned, distribution } = this;
    super.compile({
      optimizer,
      loss: withFunctions('loss', loss, distribution),
      ...(metrics !== undefined && { metrics: withFunctions('metrics', metrics, distribution) }),
    } as ModelCompileArgs);
    fuseAdam();
    this.checkLabels = checkLabels;
    this.hasCheckedBatch = false;
    acceptLevels(this, distribution.imageChannels);
    if (isOptimizerOwned && before === this.optimizer) this.isOptimizerOwned = true;
    else if (isOptimizerOwned) before.dispose();
  }

  /** @internal */
  override makeTrainFunction(): ReturnType<LayersModel['makeTrainFunction']> {
    const train = super.makeTrainFunction();
    return (data) => {
      const { iterations } = this.optimizer; // the number of the next step, on which noise depends
      let k = 0;
      eachLayer(this, (layer) => layer.setStep?.(iterations, this.firstImage, `${this.noiseSeed}/${k++}`));
      try {
        return train(data);
      } catch (error) {
        disposeAbandonedTape();
        throw error;
      }
    };
  }
}
tf.serialization.registerClass(AutoregressiveModel);

export interface AutoregressiveModel extends ImageModelShape {}

/** Makes an {@link AutoregressiveModel} from a graph of layers. */
export function autoregressiveModel(args: AutoregressiveModelArgs): AutoregressiveModel {
  if (args instanceof LayersModel) {
    const wanted = 'inputs and outputs, as model.inputs[0] and model.outputs[0]';
    throwTypeError('autoregressiveModel', wanted, args);
  }
  const { inputs, outputs, name } = readArguments('autoregressiveModel', args, declared());
  if (Array.isArray(outputs)) throwTypeError('autoregressiveModel: outputs', 'one symbolic tensor', outputs);
  if (!inputs || !(outputs as SymbolicTensor | undefined)?.sourceLayer)
    throwTypeError('autoregressiveModel', 'inputs and outputs, symbolic tensors', outputs ?? args);
  return new AutoregressiveModel({ inputs, outputs, name } as ConstructorParameters<typeof LayersModel>[0]);
}
