import { dispose, type Scalar, serialization, type Tensor } from '@tensorflow/tfjs-core';
import { LayersModel, type ModelCompileArgs, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { checkArgs, checkBoolean, type NamesOf, throwTypeError } from '../core/check';
import { type ConditionShape, checkConditionValues, conditionLabels } from '../core/conditions';
import { eachLayer } from '../layers/pixel-layer';
import type { Applied } from '../layers/types';
import { afterCheck, checkBatch, checkedDataset } from './check-labels';
import { type Condition, modelInputs } from './conditions';
import { type ImageModelShape, imageModelShape } from './image-model';
import { namesOf, OWN_LOSS, withFunctions } from './loss';
import { checkSavedGraph } from './saved-graph';
import {
  collectMade,
  disposeAbandonedTape,
  type Made,
  restoreAdamPowersExactly,
  withoutLeakingSteps,
} from './tfjs-workarounds';

type FitX = Parameters<LayersModel['fit']>[0];
type FitY = Parameters<LayersModel['fit']>[1];
type FitArgs = NonNullable<Parameters<LayersModel['fit']>[2]>;
type EvaluateX = Parameters<LayersModel['evaluate']>[0];
type EvaluateArgs = NonNullable<Parameters<LayersModel['evaluate']>[2]>;
type PredictArgs = NonNullable<Parameters<LayersModel['predict']>[1]>;
type EvaluateDatasetArgs = NonNullable<Parameters<LayersModel['evaluateDataset']>[1]>;
type Conditioned<Args> = Args & { condition?: Condition };
type DatasetToFit<T> = Parameters<typeof LayersModel.prototype.fitDataset<T>>[0];
type FitDatasetArgs<T> = Parameters<typeof LayersModel.prototype.fitDataset<T>>[1];
type EvaluateDatasetParameters = Parameters<LayersModel['evaluateDataset']>;
type TrainingConfig = Parameters<LayersModel['loadTrainingConfig']>[0];

/** Arguments of {@link AutoregressiveModel.compile}: those of tfjs, and a debug mode. */
export interface AutoregressiveModelCompileArgs extends ModelCompileArgs {
  /**
   * Whether `fit`, `fitDataset`, `trainOnBatch`, `evaluate` and `evaluateDataset` check every number that they are
   * given, which the loss does not do: labels must be integer levels 0 to L - 1, images in [0, 1], classes valid for
   * the model. On a wrong number they reject with a TypeError that names the tensor, the place and the number.
   * `evaluate` cannot reject, so its results do when they are read by `data()` or `array()`. All batches are read back
   * from the backend, which is slow, so use this for the first run of a new program. It is not saved.
   * @default false
   */
  checkLabels?: boolean;
}

// tfjs silently ignores options that it does not know.

const compileNames: NamesOf<AutoregressiveModelCompileArgs> = {
  optimizer: true,
  loss: true,
  metrics: true,
  checkLabels: true,
};

const fitNames: NamesOf<Conditioned<FitArgs>> = {
  condition: true,
  batchSize: true,
  epochs: true,
  verbose: true,
  callbacks: true,
  validationSplit: true,
  validationData: true,
  shuffle: true,
  classWeight: true,
  sampleWeight: true,
  initialEpoch: true,
  stepsPerEpoch: true,
  validationSteps: true,
  yieldEvery: true,
};

const fitDatasetNames: NamesOf<FitDatasetArgs<unknown>> = {
  batchesPerEpoch: true,
  epochs: true,
  verbose: true,
  callbacks: true,
  validationData: true,
  validationBatchSize: true,
  validationBatches: true,
  classWeight: true,
  initialEpoch: true,
  yieldEvery: true,
};

const trainOnBatchNames: NamesOf<Conditioned<object>> = { condition: true };

const evaluateNames: NamesOf<Conditioned<EvaluateArgs>> = {
  condition: true,
  batchSize: true,
  verbose: true,
  sampleWeight: true,
  steps: true,
};

const evaluateDatasetNames: NamesOf<EvaluateDatasetArgs> = { batches: true, verbose: true };

const predictNames: NamesOf<Conditioned<PredictArgs>> = { condition: true, batchSize: true, verbose: true };

/** Arguments of {@link autoregressiveModel}. */
export interface AutoregressiveModelArgs {
  /**
   * One symbolic image [N,H,W,C], or [image, condition], or several conditions of different kinds in any order after
   * the image: a class [N,1], a vector [N,K] or a map [N,H,W,K].
   */
  inputs: SymbolicTensor | SymbolicTensor[];
  /**
   * Its symbolic logits [N,H,W,C,L], or parameters [N,H,W,P] from a last layer that has a distribution. Whatever
   * `apply` of a tfjs layer returns is accepted, by type.
   */
  outputs: Applied;
  /** Name of the model. */
  name?: string;
}

const argNames: NamesOf<AutoregressiveModelArgs> = { inputs: true, outputs: true, name: true };

/**
 * A model from images [N,H,W,C], normalized to [0, 1], to logits [N,H,W,C,L] for every channel of every pixel given the
 * values before it, or to the parameters [N,H,W,P] of the distribution of its last layer, such as `logisticMixture`.
 * Any graph of layers will do; `checkCausality` tests whether it respects that order. Further inputs are conditions:
 * classes [N,1] (read by a layer `oneHotClass`), vectors [N,K] and maps [N,H,W,K].
 *
 * It is a `tf.LayersModel` that differs only in its labels: `fit`, `fitDataset`, `evaluate` and `trainOnBatch` take
 * integer levels [N,H,W,C] (int32 or float32), never one-hot vectors, and pass these and the outputs to every loss or
 * metric given to `compile`. Loaded models have this class again, with `bitsPerDim` or `negativeLogLikelihood` as loss
 * and metrics. If saved with `includeOptimizer`, they continue training as if they had never been saved. A loss
 * function of your own must be given to `compile` again.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, equations 1
 * and 2.
 *
 * @throws TypeError if the graph is not [N,H,W,C] -> [N,H,W,C,L] or [N,H,W,P], or if `compile` is given the name of a
 * loss or metric other than 'bitsPerDim' or 'negativeLogLikelihood'.
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
 * console.log(model.levels); // 4
 * ```
 */
export class AutoregressiveModel extends LayersModel {
  /** @nocollapse */
  static override className = 'AutoregressiveModel';

  /** [H, W, C]; H and W null where the model takes images of any size. */
  readonly imageShape: ImageModelShape['imageShape'];
  /** L, the number of levels of a channel. */
  readonly levels: number;
  /** What the model is conditioned on, in the order of its inputs; empty for nothing. */
  readonly conditions: ImageModelShape['conditions'];
  /** What the outputs mean: the third argument of `bitsPerDim` in a training loop of your own. */
  readonly distribution: ImageModelShape['distribution'];
  private checksLabels = false;
  /**
   * What tfjs made while it loaded the model, to be disposed of if loading fails; undefined if the model was not
   * loaded.
   */
  private made: Made | undefined;

  constructor(args: ConstructorParameters<typeof LayersModel>[0]) {
    super(args);
    const { imageShape, levels, conditions, distribution } = imageModelShape('AutoregressiveModel', this);
    this.imageShape = imageShape;
    this.levels = levels;
    this.conditions = conditions;
    this.distribution = distribution;
  }

  /** The one condition of `conditions`; null where there is none, or more than one. */
  get condition(): ConditionShape | null {
    const [condition = null, ...others] = this.conditions;
    return others.length === 0 ? condition : null;
  }

  /**
   * As in tfjs. Conditions may also be given as `condition`, instead of [images, condition] as `x` (several in the
   * order of `conditions`); `validationSplit` splits both, `validationData` is [[images, condition], labels].
   */
  override async fit(x: FitX, y: FitY, options: Conditioned<FitArgs> = {}): ReturnType<LayersModel['fit']> {
    const { condition, ...args } = checkArgs('fit: options', options, fitNames);
    const { inputs, made } = modelInputs('fit', this, x, condition);
    try {
      await this.checkConditions('fit', made);
      if (this.checksLabels) {
        await checkBatch('fit', this, inputs, y);
        const [xs, ys] = args.validationData ?? [];
        await checkBatch('fit: validationData', this, xs, ys);
      }
      return await super.fit(inputs, y, args);
    } finally {
      dispose(made);
    }
  }

  override async fitDataset<T>(
    dataset: DatasetToFit<T>,
    args: FitDatasetArgs<T>,
  ): ReturnType<LayersModel['fitDataset']> {
    checkArgs('fitDataset: options', args as FitDatasetArgs<unknown>, fitDatasetNames);
    return super.fitDataset(this.checksLabels ? checkedDataset('fitDataset', this, dataset) : dataset, args);
  }

  /**
   * As in tfjs: returns the loss, or if `compile` was given metrics, a list that starts with the loss:
   * `trainOnBatch<number[]>`. Conditions may also be given as `condition`, as in `fit`.
   */
  override async trainOnBatch<Result extends number | number[] = number>(
    x: FitX,
    y: FitY,
    options: Conditioned<object> = {},
  ): Promise<Result> {
    const { condition } = checkArgs('trainOnBatch: options', options, trainOnBatchNames);
    const { inputs, made } = modelInputs('trainOnBatch', this, x, condition);
    try {
      await this.checkConditions('trainOnBatch', made);
      if (this.checksLabels) await checkBatch('trainOnBatch', this, inputs, y);
      return (await super.trainOnBatch(inputs, y)) as Result;
    } finally {
      dispose(made);
    }
  }

  /** Checks the numbers of conditions that tensors have been made of. */
  private async checkConditions(caller: string, made: readonly Tensor[]): Promise<void> {
    const labels = conditionLabels(`${caller}: condition`, this.conditions);
    for (const [i, tensor] of made.entries()) {
      checkConditionValues(labels[i] as string, this.conditions[i] as ConditionShape, await tensor.data());
    }
  }

  /**
   * As in tfjs. Conditions may also be given as `condition`, instead of [images, condition] as `x`. The numbers of a
   * tensor are not checked, since that would have to wait for them; an invalid class acts as no class.
   *
   * @typeParam Result the loss, or if `compile` was given metrics, a list that starts with the loss:
   * `evaluate<Scalar[]>`
   */
  override evaluate<Result extends Scalar | Scalar[] = Scalar>(
    x: EvaluateX,
    y: EvaluateX,
    options: Conditioned<EvaluateArgs> = {},
  ): Result {
    const { condition, ...args } = checkArgs('evaluate: options', options, evaluateNames);
    const { inputs, made } = modelInputs('evaluate', this, x, condition);
    try {
      const figures = super.evaluate(inputs, y, args);
      const told = this.checksLabels ? afterCheck(figures, checkBatch('evaluate', this, inputs, y)) : figures;
      return told as Result;
    } finally {
      dispose(made);
    }
  }

  /** As in tfjs. If `compile` was given metrics, a list, as for `evaluate`. */
  override async evaluateDataset<Result extends Scalar | Scalar[] = Scalar>(
    dataset: EvaluateDatasetParameters[0],
    args: EvaluateDatasetArgs = {},
  ): Promise<Result> {
    checkArgs('evaluateDataset: options', args, evaluateDatasetNames);
    const checked = this.checksLabels ? checkedDataset('evaluateDataset', this, dataset) : dataset;
    return super.evaluateDataset(checked, args) as Promise<Result>;
  }

  /**
   * Computes logits [N,H,W,C,L], or parameters [N,H,W,P], in batches, as in tfjs. Conditions may also be given as
   * `condition`, as in `evaluate`.
   *
   * @throws TypeError if there are not as many conditions as images
   */
  override predict(x: Tensor | Tensor[], options: Conditioned<PredictArgs> = {}): Tensor {
    const { condition, ...args } = checkArgs('predict: options', options, predictNames);
    const { inputs, made } = modelInputs('predict', this, x, condition);
    try {
      return super.predict(inputs, args) as Tensor; // of its one output
    } finally {
      dispose(made);
    }
  }

  /** Computes logits [N,H,W,C,L], or parameters [N,H,W,P], of one batch, as in tfjs. */
  declare predictOnBatch: (x: Tensor | Tensor[]) => Tensor;

  /** As in tfjs, but with this class's labels, and with `checkLabels` to debug a new program. */
  override compile(options: AutoregressiveModelCompileArgs): void {
    const { checkLabels = false, ...args } = checkArgs('compile', options, compileNames);
    this.checksLabels = checkBoolean('compile: checkLabels', checkLabels);
    const { distribution } = this;
    const metrics =
      args.metrics == null ? {} : { metrics: withFunctions('metrics', args.metrics, distribution) };
    const { optimizer: before, isOptimizerOwned } = this;
    super.compile({
      ...args,
      loss: withFunctions('loss', args.loss, distribution),
      ...metrics,
    } as ModelCompileArgs);
    // tfjs wants labels of the outputs' own shape for a custom loss; ours are levels, [N,H,W,C].
    this['feedOutputShapes'] = this.outputs.map(({ shape }) => [
      ...shape.slice(0, 3),
      this.distribution.imageChannels,
    ]);
    if (isOptimizerOwned && before === this.optimizer) this.isOptimizerOwned = true;
    else if (isOptimizerOwned) before.dispose();
  }

  /** `fit`, `evaluate` and `trainOnBatch` use this to read their inputs. */
  protected override standardizeUserDataXY(
    ...args: Parameters<LayersModel['standardizeUserDataXY']>
  ): ReturnType<LayersModel['standardizeUserDataXY']> {
    const [, y] = args;
    const labels: Tensor[] = (y as Tensor)?.shape === undefined ? Object.values(y ?? {}) : [y as Tensor];
    for (const { shape } of labels) {
      const isOneHot =
        shape?.length === 5 || (shape?.[3] === this.levels && this.levels !== this.imageShape[2]);
      if (isOneHot) throwTypeError('labels', 'integer levels [N,H,W,C], not one-hot', shape);
      if (shape?.[0] === 0) throwTypeError('labels', 'those of at least one image', shape); // their mean is NaN, and so would be the weights
    }
    return super.standardizeUserDataXY(...args);
  }

  protected override makeTrainFunction(): ReturnType<LayersModel['makeTrainFunction']> {
    const train = super.makeTrainFunction();
    return (data) => {
      const { iterations } = this.optimizer; // the number of the next step, on which noise depends
      eachLayer(this, (layer) => layer.setStep?.(iterations));
      try {
        return train(data);
      } catch (error) {
        disposeAbandonedTape();
        throw error;
      }
    };
  }

  override async save(...args: Parameters<LayersModel['save']>): ReturnType<LayersModel['save']> {
    const save = () => super.save(...args);
    return this.optimizer === undefined ? save() : withoutLeakingSteps(this.optimizer, save);
  }

  protected override getTrainingConfig(): ReturnType<LayersModel['getTrainingConfig']> {
    const [loss = OWN_LOSS] = namesOf(this.loss);
    const metrics = namesOf(this.metrics).filter((name) => name !== undefined);
    const optimizer_config = {
      class_name: this.optimizer.getClassName(),
      config: this.optimizer.getConfig(),
    };
    const config = { loss, metrics, optimizer_config };
    // The type lists tfjs's own losses only.
    return config as unknown as ReturnType<LayersModel['getTrainingConfig']>;
  }

  override loadTrainingConfig(config: TrainingConfig): void {
    this.load(() => super.loadTrainingConfig(config)); // makes the optimizer and compiles, with the names of getTrainingConfig
    this.isOptimizerOwned = true; // nobody else has it, so the model disposes of it
    restoreAdamPowersExactly(this.optimizer);
  }

  override setUserDefinedMetadata(...args: Parameters<LayersModel['setUserDefinedMetadata']>): void {
    this.load(() => super.setUserDefinedMetadata(...args));
  }

  override loadWeights(...args: Parameters<LayersModel['loadWeights']>): void {
    this.load(() => super.loadWeights(...args));
  }

  /** Loads a part of a saved model, and disposes of everything if that fails while tfjs loads it: nobody else could. */
  private load(part: () => void): void {
    try {
      part();
    } catch (error) {
      this.made?.dispose();
      throw error;
    }
  }

  /**
   * Makes a model from its saved graph.
   *
   * @throws Error naming the layer whose inputs are not there
   * @nocollapse
   */
  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
    ...rest: [customObjects?: serialization.ConfigDict, fastWeightInit?: boolean]
  ): T {
    checkSavedGraph('AutoregressiveModel', { className: AutoregressiveModel.className, config });
    const made = collectMade();
    try {
      const model = LayersModel.fromConfig(cls, config, ...rest);
      if (model instanceof AutoregressiveModel) model.made = made;
      queueMicrotask(made.keep); // tfjs loads all the rest in the same turn
      return model;
    } catch (error) {
      made.dispose();
      throw error;
    }
  }
}
serialization.registerClass(AutoregressiveModel);

/** Makes an {@link AutoregressiveModel} from a graph of layers. */
export function autoregressiveModel(args: AutoregressiveModelArgs): AutoregressiveModel {
  if (args instanceof LayersModel) {
    throwTypeError(
      'autoregressiveModel',
      'inputs and outputs, as model.inputs[0] and model.outputs[0]',
      args,
    );
  }
  const { inputs, outputs } = checkArgs('autoregressiveModel', args, argNames);
  if (Array.isArray(outputs)) throwTypeError('autoregressiveModel: outputs', 'one symbolic tensor', outputs);
  if (!inputs || !(outputs as SymbolicTensor | undefined)?.sourceLayer)
    throwTypeError('autoregressiveModel', 'inputs and outputs, symbolic tensors', outputs ?? args);
  return new AutoregressiveModel({ ...args, outputs: outputs as SymbolicTensor });
}
