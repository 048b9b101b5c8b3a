import type { Tensor } from '@tensorflow/tfjs-core';
import type { Instruction, Operand } from '../../kernels/instruction';
import { wholeVectors } from '../../kernels/vector';
import { ONCE, ROW } from '../../program/steps';

/**
 * What kernels have no instruction for: one thing to do at a pixel, on a chunk of images. `at` says where an
 * operand begins.
 */
export type Action = (heap: Float32Array, at: (operand: Operand) => number, images: number) => void;

/** A base that follows the present pixel through rows used in turn. Numbers count floats. */
export interface MovingBase {
  /** Of row 0, column 0, from the chunk's memory on. */
  readonly start: number;
  readonly rowStride: number;
  /** Rows kept. */
  readonly rows: number;
  /** How many rows above the present one it is. */
  readonly above: number;
  /** Floats from column to column. */
  readonly slots: number;
}

/** Bases of every table: the start of the heap, the start of the chunk's memory; moving bases follow. */
export const HEAP = 0;
export const CHUNK = 1;
export const FIRST_MOVING = 2;

/** Lays a program out over the heap and over the steps of a pixel, before the heap is made. */
export class Plan {
  /** Floats of the heap that all chunks share. */
  sharedFloats = 0;
  /** Floats of a chunk's own memory. */
  chunkFloats = 0;
  /** What is written into the heap at first: weights. */
  readonly fills: ((heap: Float32Array) => void)[] = [];
  readonly movingBases: MovingBase[] = [];
  /**
   * What is done {@link ONCE}, in each {@link ROW}, and when so many channels of the present pixel are known.
   */
  readonly steps: (Instruction | Action)[][];

  constructor(
    /** Images that are computed together. */
    readonly chunkImages: number,
    readonly width: number,
    readonly channels: number,
    private readonly weights: Map<Tensor, ArrayLike<number>>,
  ) {
    this.steps = Array.from({ length: channels + 1 - ONCE }, () => []);
  }

  /** Takes so many floats for all chunks, from a multiple of 4 on. */
  reserve(count: number): Operand {
    const offset = this.sharedFloats;
    this.sharedFloats += wholeVectors(count);
    return { base: HEAP, offset, stride: 0 };
  }

  /** Takes so many floats for each image, so many times, of the chunk's memory. */
  reserveForImages(times: number, count: number): Operand {
    const offset = this.chunkFloats;
    const stride = wholeVectors(count);
    this.chunkFloats += times * this.chunkImages * stride;
    return { base: CHUNK, offset, stride };
  }

  /** The index of a moving base, one for all who ask for the same. */
  movingBase(base: MovingBase): number {
    const known = this.movingBases.findIndex(
      ({ start, above }) => start === base.start && above === base.above,
    );
    return FIRST_MOVING + (known >= 0 ? known : this.movingBases.push(base) - 1);
  }

  /**
   * Adds what is to be done in a step. Beyond the last step it is dropped, since nothing that is drawn needs
   * it.
   */
  emit(step: number, code: Instruction | Action): void {
    const isOfRow = step === ROW && typeof code !== 'function';
    this.steps[step - ONCE]?.push(isOfRow ? { ...code, columns: this.width } : code);
  }

  /** The numbers of a weight. */
  numbers(weight: Tensor): ArrayLike<number> {
    return this.weights.get(weight) as ArrayLike<number>;
  }
}
