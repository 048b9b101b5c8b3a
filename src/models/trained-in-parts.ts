import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import type { Declaration, Values } from '../runtime/core/arguments';
import type { trainOnBatchArguments } from './method-arguments';
import type { TrainingData } from './training-data';

/** What a trainer, which has workers compute the parts of batches, needs of a model besides its public methods. */
export interface TrainedInParts {
  /** The number of a batch's first image, on which noise depends: not 0 where a larger batch is computed in parts. */
  firstImage: number;
  /** The seed of noise that has none. */
  noiseSeed: number;
  /** Reads the arguments of a method that takes levels alone, or inputs and labels, and then options. */
  readArguments<D extends Declaration & typeof trainOnBatchArguments>(
    caller: string,
    given: readonly unknown[],
    declared: D,
  ): { data: TrainingData; args: Omit<Values<D>, 'condition'> };
  /** Checks validation data, if any, and returns them in tfjs's form. Adds the tensors made for them to `made`. */
  readValidation(
    caller: string,
    given: unknown,
    size: number,
    made: Tensor[],
  ): Promise<unknown[] | undefined>;
  /** Checks the numbers of the first images of data, or of as many as `compile` was told to. */
  checkData(caller: string, data: TrainingData, first: number): Promise<void>;
  /** Checks the numbers of data to evaluate; null if none are to be. */
  checkEvaluated(data: TrainingData, batchSize: number): Promise<void> | null;
  /** Makes the function that trains on a batch, its inputs and then its labels, and returns loss and metrics. */
  makeTrainFunction(): (batch: Tensor[]) => Scalar[];
}
