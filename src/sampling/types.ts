import { wholeVectors } from '../kernels/vector';

/**
 * What sampling needs of a model: the logits of one value, given all those before it in the order rows,
 * columns, channels.
 */
export interface Evaluator {
  /**
   * Logits of the value at this place for every image, [numImages, {@link paddedLevels}]; what pads a row is
   * anything. Good until the next call.
   */
  logits(row: number, column: number, channel: number): Float32Array | Promise<Float32Array>;
  /** Takes the levels drawn or given there, [numImages]. */
  put(row: number, column: number, channel: number, levels: Int32Array): void;
  /** Lets go of all memory held. */
  dispose(): void;
}

/** How many logits an evaluator gives of each value. */
export const paddedLevels = (levels: number): number => wholeVectors(levels);
