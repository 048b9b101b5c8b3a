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
} from '../core/arguments';
import { checkBoolean, throwTypeError } from '../core/check';
import { conditionOption } from './conditions';
import type { ValidationData } from './training-data';

// The arguments of the methods of AutoregressiveModel: ours, and those of tfjs, which ignores what it does not know.

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

/** What tfjs accepts for labels of one class an image, and cannot do for levels. */
const refused = optional(
  checked<undefined>((what, given) => {
    const wanted = 'none, since labels are levels; a loss function of your own can weigh values';
    return throwTypeError(what, wanted, given);
  }),
);
const weighting = { classWeight: refused, sampleWeight: refused };

/** The name of a loss or metric of this library. */
type LikelihoodName = 'bitsPerDim' | 'negativeLogLikelihood';
/** A loss or metric, of labels [N,H,W,C] and outputs: one value an image, [N]. */
type LikelihoodFunction = (labels: Tensor, outputs: Tensor) => Tensor;
/** As tfjs takes losses and metrics: one, a list, or by the name of the output. */
type OneOrMore<Likelihood> = Likelihood | Likelihood[] | { [output: string]: Likelihood };

export const compileArguments = {
  /** As in tfjs: an optimizer, or the name of one with its defaults. */
  optimizer: anything<ModelCompileArgs['optimizer']>(),
  /** `bitsPerDim`, `negativeLogLikelihood` or a function of (labels, outputs); tfjs's own losses do not take levels. */
  loss: anything<OneOrMore<LikelihoodName> | OneOrMore<LikelihoodFunction>>(),
  /** More of them, to be reported. */
  metrics: optional(anything<OneOrMore<LikelihoodName | LikelihoodFunction>>()),
  /**
   * Which numbers are checked: labels must be integer levels 0 to L - 1, images in [0, 1], classes valid for the model.
   * By default the first batch of each `fit`, `fitDataset` and `evaluateDataset`, of the first `trainOnBatch`, and of
   * `evaluate` if it gets levels alone. `true` checks all, which is slow: use it for the first run of a new program.
   * `false` checks none. A wrong number rejects with a TypeError that names the tensor, the place and the number;
   * `evaluate` cannot reject, so its results do when they are read by `data()` or `array()`. Not saved.
   * @default the first batch
   */
  checkLabels: optional(checked(checkBoolean)),
};

/** Arguments of {@link AutoregressiveModel.compile}: those of tfjs, and whose numbers are checked. */
export interface AutoregressiveModelCompileArgs extends Given<typeof compileArguments> {}

export const trainOnBatchArguments = { ...conditionOption, ...weighting };

/** Options of {@link AutoregressiveModel.trainOnBatch}. */
export interface TrainOnBatchOptions extends Given<typeof conditionOption> {}

const ofFit = {
  ...conditionOption,
  /** Levels alone, `{ levels, condition }`, or [x, labels]. It does not share the condition of the training images. */
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

/** Arguments of {@link AutoregressiveModel.fit}: those of tfjs, and a condition. */
export interface AutoregressiveModelFitArgs
  extends Omit<FitArgs, keyof typeof ofFit | 'sampleWeight' | 'classWeight'>,
    Given<typeof ofFit> {}

export const fitDatasetArguments = {
  ...ofTfjs<FitDatasetArgs<unknown>>('batchesPerEpoch', 'epochs', 'verbose', 'callbacks', 'validationData'),
  ...ofTfjs<FitDatasetArgs<unknown>>('validationBatches', 'initialEpoch', 'yieldEvery'),
  ...weighting,
  validationBatchSize: optional(integer({ from: 1 }), 32),
};

/** Arguments of {@link AutoregressiveModel.fitDataset}: those of tfjs. */
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

/** Arguments of {@link AutoregressiveModel.evaluate}: those of tfjs, and a condition. */
export interface AutoregressiveModelEvaluateArgs
  extends Omit<EvaluateArgs, 'sampleWeight'>,
    TrainOnBatchOptions {}

export const evaluateDatasetArguments = ofTfjs<EvaluateDatasetArgs>('batches', 'verbose');

export const predictArguments = { ...ofTfjs<PredictArgs>('batchSize', 'verbose'), ...conditionOption };

/** Arguments of {@link AutoregressiveModel.predict}: those of tfjs, and a condition. */
export interface AutoregressiveModelPredictArgs extends PredictArgs, TrainOnBatchOptions {}
