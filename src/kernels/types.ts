/**
 * The inner loops that sampling runs, over one heap. Each implementation rounds after every multiplication and every addition, in the
 * same order, so all give the same bits.
 */
export interface Kernels {
  /** All numbers live here, zero at first. */
  readonly heap: Float32Array;
  /** The same memory as integers: places and instructions. */
  readonly words: Int32Array;
  /**
   * Runs the instructions encoded in the heap in [start, end), see `encode`, on so many images. `places` is where the table of places
   * begins: words, each a position in the heap.
   */
  run(start: number, end: number, places: number, images: number): void;
  /**
   * y = e^((x - max x) scale) for each image, and the sums of it: x float32 [images, levels] from position `x` of the heap on; y
   * [images, levels] and sums [images] float64, where positions count float64 numbers. `levels` is a multiple of 4.
   */
  softmax(y: number, sums: number, x: number, images: number, levels: number, scale: number): void;
}

/**
 * The loops that training runs, over a memory of somebody else's: a convolution whose kernel has only causal rows, and its gradients.
 * Arguments are addresses in bytes of float32 numbers, 0 where there are none, then
 * `images, height, width, featuresIn, featuresOut, rows, columns`, and the address of {@link scratchBytes} bytes to work in.
 */
export interface ConvolutionKernels {
  /** y = max(x * kernel + bias, least), of (y, x, kernel, bias, ...sizes, least, scratch). */
  convolve(...args: number[]): void;
  /** dx = dz * kernel turned round, of (dx, dy, y, kernel, ...sizes, scratch); dz is dy, or where there is a y, dy where y > 0. */
  convolveBack(...args: number[]): void;
  /** dkernel, of (dkernel, x, dy, y, ...sizes, scratch). */
  correlate(...args: number[]): void;
  /** dbias, of (dbias, dy, y, images, height, width, featuresOut, scratch). */
  sumPixels(...args: number[]): void;
  /** Of (height, width, featuresIn, featuresOut, rows, columns). */
  scratchBytes(...args: number[]): number;
}
