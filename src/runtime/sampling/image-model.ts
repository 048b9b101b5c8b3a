import type { ConditionValues } from '../core/conditions';
import type { ImageShape, Images } from '../core/images';
import type { ModelShape } from '../core/model-shape';
import type { Symmetrizable } from '../core/symmetries';
import type { CurrentPixels, LogProbs, PixelDistribution } from '../distributions/pixel-distribution';
import type { Evaluator, EvaluatorArgs } from '../engine/evaluator';
import type { PortableModel } from '../program/program';
import type { OutputSource } from './growing-images';
import type { Job } from './options';

// What one does with a trained model is written once, for an `ImageModel`. There are three kinds: portable models
// (portable.ts), models of tfjs (inference/), and the symmetric ones, which wrap one of either (symmetric.ts).

/** A model of images, whatever computes it. */
export interface ImageModel<Ordered extends OrderedModel = OrderedModel> extends ModelShape {
  /** Draws the images of a job. */
  draw(job: Job): Promise<SampledImages>;
  /** What a symmetric model is made of. */
  readonly turned?: TurnedModel;
  /** The model as one that takes the values of an image in order. Throws a TypeError about `what` if there is no one order. */
  inOrder(what: string): Ordered;
}

/** A model without its symmetry, and the symmetry. Its conditions include the orientation, if it is told. */
export interface TurnedModel extends Required<Symmetrizable> {
  readonly model: ImageModel;
}

/** A model that takes the values of an image one by one, in the order rows, columns, channels. */
export type OrderedModel = EngineModel | WholeModel;

interface ValueByValue extends ModelShape {
  readonly distribution: PixelDistribution;
  /** Makes what computes the outputs for each value, as the values before it are put. */
  source(images: EvaluatorArgs): OutputSource | Promise<OutputSource>;
}

/** A model in order that the engine evaluates. */
export interface EngineModel extends ValueByValue {
  readonly program: PortableModel;
  source(images: EvaluatorArgs): Evaluator;
}

/** A model in order that computes the outputs for all values of an image at once, if these are known. */
export interface WholeModel extends ValueByValue {
  /** Calls `read` for all values of the images. */
  eachOutput(caller: string, images: KnownImages & WalkHooks, read: ReadOutputs): Promise<void>;
}

/**
 * Reads the outputs for some values of known images; those of each image come in order. `reader` reads log p from them,
 * and `values` are the indices of the values in all images [N,H,W,C].
 */
export type ReadOutputs = (reader: LogProbs, current: CurrentPixels, values: Int32Array) => void;

/** The result of a job. */
export interface SampledImages {
  /** Of all images, [N*H*W*C]. */
  readonly levels: Images['data'];
  /** Log p of each image under the model, if it was asked for, else empty. */
  readonly logProb: Float64Array;
  /**
   * Log p with which each image was drawn, likewise; given values are certain. With look-ahead, it counts how many copies
   * of the particle were expected: `logDrawn` + `logGiven` is log p of all values, by what is drawn from and weighed.
   */
  readonly logDrawn: Float64Array;
  /** With look-ahead, an estimate of log p of the given values. */
  readonly logGiven?: Float64Array;
  /** The images as the network saw them, with its conditions, where they were turned afterwards. */
  readonly before?: { readonly levels: Images['data']; readonly conditions: readonly ConditionValues[] };
}

/** Images to walk through. */
export interface WalkedImages {
  readonly numImages: number;
  readonly imageShape: ImageShape;
  readonly conditions: readonly ConditionValues[];
}

/** Checked images whose levels are known. */
export interface KnownImages extends WalkedImages {
  /** A copy, since the caller may change the original, [N*H*W*C]. */
  readonly data: Images['data'];
}

/** How to stop a walk, and follow its progress. */
export interface WalkHooks {
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: { done: number; total: number }) => void) | undefined;
}
