/**
 * The inner loops that sampling runs, over one heap. Each implementation rounds after every multiplication
 * and every addition, in the same order, so all give the same bits.
 */
export interface SamplingKernels {
  /** All numbers live here, zero at first. */
  readonly heap: Float32Array;
  /** The same memory as integers: bases and instructions. */
  readonly words: Int32Array;
  /**
   * Runs the instructions encoded in the heap in [start, end), see `encode`, on so many images. `bases` is
   * where the table of bases begins: words, each a position in the heap.
   */
  run(start: number, end: number, bases: number, images: number): void;
  /**
   * y = e^((x - max x) scale) for each image, and the sums of it: x float32 [images, levels] from position
   * `x` of the heap on; y [images, levels] and sums [images] float64, where positions count float64 numbers.
   * `levels` is a multiple of 4.
   */
  softmax(y: number, sums: number, x: number, images: number, levels: number, scale: number): void;
}
