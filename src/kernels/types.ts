/**
 * The inner loops that sampling runs, over one heap of float32 numbers. Offsets and strides count floats; `outputs` and `length` are
 * multiples of 4. Each implementation rounds to float32 after every multiplication and every addition, in the same order, so all give
 * the same bits.
 */
export interface Kernels {
  /** All numbers live here, zero at first. */
  readonly heap: Float32Array;
  /**
   * y = max(start + x w, least) for each image: y[n][o] from start[n][o] + x[n][0] w[0][o] + x[n][1] w[1][o] + ...; least is 0 for a
   * ReLU, -Infinity for none.
   * y, start [images][outputs] and x [images][inputs] have strides from image to image (0: one start for all), w [inputs][outputs] from
   * input to input.
   */
  product(
    y: number,
    yStride: number,
    start: number,
    startStride: number,
    x: number,
    xStride: number,
    w: number,
    wStride: number,
    images: number,
    inputs: number,
    outputs: number,
    least: number,
  ): void;
  /** y = max(x, 0), `length` values of each image. */
  relu(y: number, yStride: number, x: number, xStride: number, images: number, length: number): void;
  /** y = a + b, `length` values of each image. */
  add(
    y: number,
    yStride: number,
    a: number,
    aStride: number,
    b: number,
    bStride: number,
    images: number,
    length: number,
  ): void;
}
