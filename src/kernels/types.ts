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
 * Sizes of a convolution of images [images,height,width,in] by a kernel [rows,columns,in,out], of whose last row the first `present` columns
 * are used.
 */
export type ConvolutionSizes = readonly [
  images: number,
  height: number,
  width: number,
  featuresIn: number,
  featuresOut: number,
  rows: number,
  columns: number,
  present: number,
];

/**
 * The loops of a convolution whose kernel has only causal rows, of its gradients, of the cross-entropy and of the gate, over a memory of somebody else's.
 * All arguments but sizes and `least` are addresses in bytes of float32 numbers, 0 where there are none. `scratch` is room to work in: of
 * `convolutionScratch` bytes for the convolution and its gradient for x, of `correlationScratch` bytes for the other two. Where a gradient of the
 * convolution has a `y`, `dy` counts only where y > 0.
 */
export interface TrainingKernels {
  /** y = max(x * kernel + bias, least). */
  convolve(y: number, x: number, kernel: number, bias: number, ...rest: [...ConvolutionSizes, least: number, scratch: number]): void; // biome-ignore format: one line
  /** The gradient for x. */
  convolveBack(dx: number, dy: number, y: number, kernel: number, ...rest: [...ConvolutionSizes, scratch: number]): void; // biome-ignore format: one line
  /** The gradient for the kernel. */
  correlate(dkernel: number, x: number, dy: number, y: number, ...rest: [...ConvolutionSizes, scratch: number]): void; // biome-ignore format: one line
  /** The gradient for the bias. */
  sumPixels(dbias: number, dy: number, y: number, images: number, height: number, width: number, featuresOut: number, scratch: number): void; // biome-ignore format: one line
  convolutionScratch: ScratchBytes;
  correlationScratch: ScratchBytes;
  /** Of logits [rows,levels] and labels int32 [rows]: softmax - one-hot [rows,levels], sums of e^(logit - max) and max - logit of the label [rows]; `row` is room for the levels, a multiple of 4. */
  crossEntropy(gradient: number, sums: number, below: number, logits: number, labels: number, rows: number, levels: number, row: number): void; // biome-ignore format: one line
  /** y = tanh(a) sigmoid(b) [images,pixels,groups,size] of x [images,pixels,groups,2,size], each a then b, plus the condition [images,groups,2,size]. */
  gate(y: number, x: number, condition: number, images: number, pixels: number, groups: number, size: number): void; // biome-ignore format: one line
  /** The gradient for x. */
  gateBack(dx: number, dy: number, x: number, condition: number, images: number, pixels: number, groups: number, size: number): void; // biome-ignore format: one line
}

/** Bytes that loops of a convolution work in. */
type ScratchBytes = (height: number, width: number, featuresIn: number, featuresOut: number, rows: number, columns: number, present: number) => number; // biome-ignore format: one line
