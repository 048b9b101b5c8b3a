import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type ImageModelShape, imageModelShape } from '../models/image-model';
import { isSymmetric, type SymmetricModel } from '../models/symmetric';
import { readProgram, toPortable, trace, traceOrThrow, warnOfObstacle } from '../portable/trace';
import { valuesOf } from '../runtime/core/images';
import type { EvaluatorArgs } from '../runtime/engine/evaluator';
import type { DrawingPool } from '../runtime/likelihood/energies';
import type { PortableModel } from '../runtime/program/program';
import type { OutputSource } from '../runtime/sampling/growing-images';
import type { EngineModel, ImageModel, WholeModel } from '../runtime/sampling/image-model';
import { engineModel, imageModelOf } from '../runtime/sampling/portable';
import { symmetricImageModel } from '../runtime/sampling/symmetric';
import { eachRow } from './batches';
import { fullPasses } from './full-passes';

/** A model of tfjs: of any layers, or one with symmetries. */
export type TfjsModel = LayersModel | SymmetricModel;

/** The network of a model, which does not know of its symmetries. */
export const networkOf = (model: TfjsModel): LayersModel => (isSymmetric(model) ? model.model : model);

/** A model of tfjs in order: its traced program in the engine, or whole passes. */
export interface TensorModel extends WholeModel {
  /** The model in the engine. Throws a TypeError naming a layer that cannot be evaluated pixel by pixel. */
  inEngine(caller: string): Promise<EngineModel>;
}

interface TensorModelOptions {
  /** How images are drawn, see `sample`. */
  readonly strategy?: 'auto' | 'incremental' | 'full';
  /** How many known images pass through the model at a time. */
  readonly batchSize?: number;
  /** Where images are drawn, instead of in this thread. */
  readonly pool?: DrawingPool | undefined;
}

/** A model of tfjs, checked to be one of images. */
export function tensorImageModel(
  what: string,
  given: TfjsModel,
  options: TensorModelOptions = {},
): ImageModel<TensorModel> {
  if (isSymmetric(given))
    return symmetricImageModel(tensorImageModel(what, given.model, options), given.symmetry);
  const { strategy = 'auto', batchSize = 32, pool } = options;
  const shape = imageModelShape(what, given);
  const model = imageModelOf<TensorModel>({
    ...shape,
    source: (images) => sourceOf(given, shape, images, strategy),
    eachOutput: (caller, images, read) =>
      eachRow(caller, { ...shape, model: given }, { ...images, batchSize }, read),
    async inEngine(caller) {
      const program = await readProgram(traceOrThrow(caller, given, shape), shape);
      return engineModel(program, shape.distribution);
    },
  });
  if (pool === undefined) return model;
  let portable: Promise<PortableModel> | undefined; // once, so that each worker is sent it once
  return {
    ...model,
    async draw(job) {
      portable ??= toPortable(given);
      return pool.draw(await portable, job);
    },
  };
}

/** Computes outputs value by value. Warns about whole passes that were not requested. */
async function sourceOf(
  model: LayersModel,
  shape: ImageModelShape,
  images: EvaluatorArgs,
  strategy: 'auto' | 'incremental' | 'full',
): Promise<OutputSource> {
  const full = () => fullPasses(model, shape.distribution, images);
  if (strategy === 'full') return full();
  const traced = trace(model, shape);
  if ('builder' in traced)
    return engineModel(await readProgram(traced, shape), shape.distribution).source(images);
  const { obstacle, late } = traced;
  if (strategy === 'incremental')
    throw new TypeError(`sample: strategy 'incremental': ${obstacle}; 'full' works with any model`);
  const { imageShape } = images;
  const passes = `${valuesOf(imageShape)} of them (${imageShape.join('x')}) instead of the cost of about one`;
  const cost = `each value takes a whole forward pass: ${passes}`;
  const meaningless = 'samples and likelihoods are meaningless';
  const consequence = late
    ? `${meaningless} (checkCausality finds the layer), and ${cost}`
    : `${cost}. checkCausality tests whether the model is causal; if it is not, ${meaningless}`;
  warnOfObstacle('sample', model, obstacle, `${consequence}. With strategy: 'full' there is no warning.`);
  return full();
}
