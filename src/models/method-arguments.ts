import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel, ModelCompileArgs } from '@tensorflow/tfjs-layers';
import {
  anything,
  checked,
  type Given,
  integer,
  type OptionalArgument,
  optional,
  rate,
} from '../runtime/core/arguments';
import { checkBoolean, throwTypeError } from '../runtime/core/check';
import { conditionOption } from './conditions';
import type { ValidationData } from './training-data';

// The arguments of AutoregressiveModel's methods: ours, and tfjs's, which ignores unknown names.

type FitArgs = NonNullable<Parameters<LayersModel['fit']>[2]>;
type EvaluateArgs = NonNullable<Parameters<LayersModel['evaluate']>[2]>;
type PredictArgs = NonNullable<Parameters<LayersModel['predict']>[1]>;
export type EvaluateDatasetArgs = NonNullable<Parameters<LayersModel['evaluateDataset']>[1]>;
export type FitDatasetArgs<T> = Parameters<typeof LayersModel.prototype.fitDataset<T>>[1];

/** Options that tfjs checks itself. */
const ofTfjs = <Args extends object>(...names: (keyof Args & string)[]) =>
  Object.fromEntries(names.map((name) => [name, optional(anything())])) as {
    [Name in keyof Args]-?: OptionalArgument<NonNullable<Args[Name]> | undefined>;
  };

/** Weightings that tfjs offers for labels with one class per image, but not for levels. */
const refused = optional(
  checked<undefined>((what, given) => {
    const wanted = 'none, since labels are levels; your own loss function can weigh values';
    return throwTypeError(what, wanted, given);
  }),
);
const weighting = { classWeight: refused, sampleWeight: refused };

/** The name of a loss or metric of this library. */
type LikelihoodName = 'bitsPerDim' | 'negativeLogLikelihood';
/** A loss or metric: returns one value an image, [N], from labels [N,H,W,C] and outputs. */
type LikelihoodFunction = (labels: Tensor, outputs: Tensor) => Tensor;
/** Losses or metrics as in tfjs: one, a list, or by the name of the output. */
type OneOrMore<Likelihood> = Likelihood | Likelihood[] | { [output: string]: Likelihood };

export const compileArguments = {
  /** An optimizer, or the name of one with its defaults, as in tfjs. */
  optimizer: anything<ModelCompileArgs['optimizer']>(),
  /** `bitsPerDim`, `negativeLogLikelihood` or a function of (labels, outputs); tfjs's own losses do not take levels. */
  loss: anything<OneOrMore<LikelihoodName> | OneOrMore<LikelihoodFunction>>(),
  /** Further losses to report. */
  metrics: optional(anything<OneOrMore<LikelihoodName | LikelihoodFunction>>()),
  /**
   * Which numbers are checked. Labels must be integer levels 0 to L - 1, images in [0, 1], classes valid for the model.
   * By default, checks the first batch of each `fit`, `fitDataset` and `evaluateDataset`, of the first `trainOnBatch`,
   * and of `evaluate` with levels alone. `true` checks all, which is slow; use it for the first run of a new program.
   * `false` checks none. An invalid number rejects with a TypeError that names the tensor, the place and the number.
   * `evaluate` cannot reject, so reading its results by `data()` or `array()` does. Not saved.
   * @default the first batch
   */
  checkLabels: optional(checked(checkBoolean)),
};

/** Arguments of {@link AutoregressiveModel.compile}: tfjs's, and `checkLabels`. */
export interface AutoregressiveModelCompileArgs extends Given<typeof compileArguments> {}

export const trainOnBatchArguments = { ...conditionOption, ...weighting };

/** Options of {@link AutoregressiveModel.trainOnBatch}. */
export interface TrainOnBatchOptions extends Given<typeof conditionOption> {}

const ofFit = {
  ...conditionOption,
  /** Levels alone, `{ levels, condition }`, or [x, labels]. The training images' condition does not apply. */
  validationData: optional(anything<ValidationData | NonNullable<FitArgs['validationData']>>()),
};

export const fitArguments = {
  ...ofTfjs<FitArgs>('verbose', 'callbacks', 'shuffle', 'initialEpoch'),
  ...ofTfjs<FitArgs>('stepsPerEpoch', 'validationSteps', 'yieldEvery'),
  ...weighting,
  ...ofFit,
  batchSize: optional(integer({ from: 1 }), 32),
  epochs: optional(integer({ from: 0 }), 1),
  validationSplit: rate(),
};

/** Arguments of {@link AutoregressiveModel.fit}: tfjs's, and a condition. */
export interface AutoregressiveModelFitArgs
  extends Omit<FitArgs, keyof typeof ofFit | 'sampleWeight' | 'classWeight'>,
    Given<typeof ofFit> {}

export const fitDatasetArguments = {
  ...ofTfjs<FitDatasetArgs<unknown>>('batchesPerEpoch', 'epochs', 'verbose', 'callbacks', 'validationData'),
  ...ofTfjs<FitDatasetArgs<unknown>>('validationBatches', 'initialEpoch', 'yieldEvery'),
  ...weighting,
  validationBatchSize: optional(integer({ from: 1 }), 32),
};

/** Arguments of {@link AutoregressiveModel.fitDataset}: tfjs's. */
export interface AutoregressiveModelFitDatasetArgs<T>
  extends Omit<FitDatasetArgs<T>, 'validationData' | 'classWeight'> {
  /** A dataset, or levels alone, `{ levels, condition }`, or [x, labels]. */
  validationData?: ValidationData | NonNullable<FitDatasetArgs<T>['validationData']>;
}

export const evaluateArguments = {
  ...ofTfjs<EvaluateArgs>('verbose', 'steps'),
  ...trainOnBatchArguments,
  batchSize: fitArguments.batchSize,
};

/** Arguments of {@link AutoregressiveModel.evaluate}: tfjs's, and a condition. */
export interface AutoregressiveModelEvaluateArgs
  extends Omit<EvaluateArgs, 'sampleWeight'>,
    TrainOnBatchOptions {}

export const evaluateDatasetArguments = ofTfjs<EvaluateDatasetArgs>('batches', 'verbose');

export const predictArguments = { ...ofTfjs<PredictArgs>('batchSize', 'verbose'), ...conditionOption };

/** Arguments of {@link AutoregressiveModel.predict}: tfjs's, and a condition. */
export interface AutoregressiveModelPredictArgs extends PredictArgs, TrainOnBatchOptions {}
