/** The address of numbers in memory, in bytes; they are float32 except for labels. 0 means none. */
type Address = number;

/**
 * Sizes of the convolution of one image [height,width,in] by a kernel [rows,columns,in,out], which has `left` columns
 * to the left of the output's own, and in whose last row the first `present` columns are used.
 */
type ImageConvolutionSizes = readonly [
  height: number,
  width: number,
  featuresIn: number,
  featuresOut: number,
  rows: number,
  columns: number,
  left: number,
  present: number,
];

/** Sizes of the convolution of images [images,height,width,in]. */
export type ConvolutionSizes = readonly [images: number, ...image: ImageConvolutionSizes];

/**
 * Sizes of gates [images,pixels,groups,size] of features [images,pixels,groups,2,size], a and b of each
 * group.
 */
type GateSizes = readonly [images: number, pixels: number, groups: number, size: number];

/**
 * Sizes of features [images,pixels,groups,size], where each group of a pixel is normalized separately, and what is
 * added to the variance.
 */
type LayerNormSizes = readonly [
  images: number,
  pixels: number,
  groups: number,
  size: number,
  epsilon: number,
];

/** Sizes of features [images,places,heads,size], and the positive factor of the scores q k. */
type AttentionSizes = readonly [images: number, places: number, heads: number, size: number, scale: number];

/**
 * Sizes of an LSTM over pixels: gates [images,height,width,groups,4,size], the columns of the kernel along a line, and
 * the path: 0 for rows, downwards, 1 and 2 for diagonals from the left and the right.
 */
type LSTMSizes = readonly [
  images: number,
  height: number,
  width: number,
  groups: number,
  size: number,
  columns: number,
  path: number,
];

/**
 * Sizes of mixtures of logistics [rows,numParameters], and where parameters lie, counted in numbers: the first
 * channel's means begin at `components` and its log scales behind them, those of the next `channelStride` further on;
 * the coefficients of the first pair of channels begin at `coefficients`, those of the next `pairStride` further on.
 */
type MixtureRows = readonly [
  components: number,
  numParameters: number,
  channelStride: number,
  coefficients: number,
  pairStride: number,
];

/**
 * The inner loops of training, over the memory of tfjs's wasm backend. `scratch` is room to work in.
 *
 * The convolution is one whose kernel has only causal rows. If a gradient of it has a `y`, `dy` is masked by y > 0.
 */
export interface TrainingKernels {
  /** y = max(x * kernel + bias, lowerBound). */
  convolve(
    y: Address,
    x: Address,
    kernel: Address,
    bias: Address,
    ...rest: [...ConvolutionSizes, lowerBound: number, scratch: Address]
  ): void;
  /** The gradient of {@link convolve} for x. */
  convolveBack(
    dx: Address,
    dy: Address,
    y: Address,
    kernel: Address,
    ...rest: [...ConvolutionSizes, scratch: Address]
  ): void;
  /** Bytes of scratch that these two need at most. */
  convolutionScratch(...sizes: ImageConvolutionSizes): number;

  /** The gradient of {@link convolve} for the kernel. */
  correlate(
    dkernel: Address,
    x: Address,
    dy: Address,
    y: Address,
    ...rest: [...ConvolutionSizes, scratch: Address]
  ): void;
  /** The gradient of {@link convolve} for the bias. */
  sumPixels(
    dbias: Address,
    dy: Address,
    y: Address,
    images: number,
    height: number,
    width: number,
    featuresOut: number,
    scratch: Address,
  ): void;
  /** Bytes of scratch that these two need at most. */
  correlationScratch(...sizes: ImageConvolutionSizes): number;

  /**
   * Of logits [rows,levels] and labels int32 [rows]: softmax - one-hot [rows,levels], the sums of e^(logit -
   * max) [rows], and max - logit of the label [rows]. `scratch` is room for the levels, rounded up to a
   * multiple of 4.
   */
  crossEntropy(
    gradient: Address,
    sums: Address,
    below: Address,
    logits: Address,
    labels: Address,
    rows: number,
    levels: number,
    scratch: Address,
  ): void;

  /** y = tanh(a) sigmoid(b), where a and b are x plus the condition [images,groups,2,size]. */
  gate(y: Address, x: Address, condition: Address, ...sizes: GateSizes): void;
  /** The gradient of {@link gate} for x. */
  gateBack(dx: Address, dy: Address, x: Address, condition: Address, ...sizes: GateSizes): void;
  /** As {@link gate}, but y = a sigmoid(b). */
  linearGate: TrainingKernels['gate'];
  linearGateBack: TrainingKernels['gateBack'];

  /** y = elu(x), then elu(-x): [rows,2,size] of x [rows,size]. */
  concatElu(y: Address, x: Address, rows: number, size: number): void;
  /** The gradient of {@link concatElu} for x. */
  concatEluBack(dx: Address, dy: Address, x: Address, rows: number, size: number): void;

  /**
   * y = gain direction / ||direction|| for each output, with direction [inputs,outputs]; the square of a norm is at
   * least `smallest`.
   */
  normalizedKernel(
    y: Address,
    direction: Address,
    gain: Address,
    inputs: number,
    outputs: number,
    smallest: number,
  ): void;
  /** The gradients of {@link normalizedKernel}. */
  normalizedKernelBack(
    ddirection: Address,
    dgain: Address,
    dy: Address,
    direction: Address,
    gain: Address,
    inputs: number,
    outputs: number,
    smallest: number,
  ): void;

  /** y = (x - mean) / sqrt(variance + epsilon) scale + shift, both [groups,size]. */
  layerNorm(y: Address, x: Address, scale: Address, shift: Address, ...sizes: LayerNormSizes): void;
  /** The gradients of {@link layerNorm}. `scratch` is room for 2 groups size numbers. */
  layerNormBack(
    dx: Address,
    dscale: Address,
    dshift: Address,
    dy: Address,
    x: Address,
    scale: Address,
    ...rest: [...LayerNormSizes, scratch: Address]
  ): void;

  /**
   * y = softmax(q k scale) v of each head, over strictly earlier places, and zeros at the first; and of each query
   * [images,heads,places] ln of the sum of e^(q k scale).
   */
  attention(
    y: Address,
    logSums: Address,
    q: Address,
    k: Address,
    v: Address,
    ...rest: [...AttentionSizes, scratch: Address]
  ): void;
  /** Bytes of scratch that it needs. */
  attentionScratch(places: number, size: number): number;
  /** The gradients of {@link attention}. */
  attentionBack(
    dq: Address,
    dk: Address,
    dv: Address,
    dy: Address,
    q: Address,
    k: Address,
    v: Address,
    y: Address,
    logSums: Address,
    ...rest: [...AttentionSizes, scratch: Address]
  ): void;
  /** Bytes of scratch that it needs. */
  attentionBackScratch(places: number, size: number): number;

  /** h, gates, activated, and c of an LSTM, of z as gates and a kernel [columns,features,4 features]. */
  lstm(
    h: Address,
    gates: Address,
    c: Address,
    z: Address,
    kernel: Address,
    ...rest: [...LSTMSizes, scratch: Address]
  ): void;
  /** Bytes of scratch that it needs, for lines of the given number of places. */
  lstmScratch(places: number, features: number, columns: number): number;
  /** The gradient of {@link lstm} for z, of dh. */
  lstmBack(
    dz: Address,
    dh: Address,
    gates: Address,
    c: Address,
    kernel: Address,
    ...rest: [...LSTMSizes, scratch: Address]
  ): void;
  /** Bytes of scratch that it needs. */
  lstmBackScratch(places: number, features: number, columns: number): number;
  /** The gradient of {@link lstm} for the kernel, of dz. */
  lstmKernelBack(dkernel: Address, h: Address, dz: Address, ...rest: [...LSTMSizes, scratch: Address]): void;
  /** Bytes of scratch that it needs. */
  lstmKernelBackScratch(places: number, features: number, columns: number): number;

  /**
   * Nats [rows,channels] of labels int32 [rows,channels] under mixtures, and what their gradient needs: posteriors
   * [rows,channels+1,components], and slopes as the parameters. `scratch` is room for 4 (numParameters + channels +
   * (channels + 2) components) numbers.
   */
  logisticMixture(
    nats: Address,
    posteriors: Address,
    slopes: Address,
    labels: Address,
    parameters: Address,
    rows: number,
    channels: number,
    levels: number,
    ...rest: [...MixtureRows, scratch: Address]
  ): void;
  /** The gradient of {@link logisticMixture} for the parameters. It takes as much scratch at most. */
  logisticMixtureBack(
    dparameters: Address,
    dy: Address,
    posteriors: Address,
    slopes: Address,
    rows: number,
    channels: number,
    ...rest: [...MixtureRows, scratch: Address]
  ): void;
}
