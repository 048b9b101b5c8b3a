import {
  _FusedMatMul,
  avgPool,
  conv2d,
  engine,
  fill,
  FusedConv2D,
  getBackend,
  getKernel,
  matMul,
  mul,
  type NamedTensorMap,
  registerGradient,
  registerKernel,
  reshape,
  reverse,
  step,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';

/** What follows the convolution within the same operation. */
export type FusedActivation = 'linear' | 'relu';

type Pads = [[number, number], [number, number], [number, number], [number, number]];

/** The name under which backends may register a kernel of their own. */
const CAUSAL_CONV_2D = 'PixelCNNCausalConv2D';

/**
 * activation(x * kernel + bias): a convolution whose kernel has only causal rows. Its last row lies on the output's own row, its
 * middle column on the output's own column; zeros pad the image, so that height and width stay.
 *
 * It is a tfjs kernel with a gradient of its own, composed of forward convolutions, products and transposes, which every
 * backend has and runs fast (the stock filter gradient is missing on wasm and slow on cpu). Gradients are computed only
 * for the inputs that need them: none for the image.
 *
 * @param x [N,H,W,in]
 * @param kernel [rows,columns,in,out], already masked; columns odd
 * @param bias [out], or null
 * @returns [N,H,W,out]
 */
export function causalConv2d(
  x: Tensor4D,
  kernel: Tensor4D,
  bias: Tensor1D | null,
  activation: FusedActivation = 'linear',
): Tensor4D {
  const backendName = getBackend();
  if (getKernel(CAUSAL_CONV_2D, backendName) === undefined) {
    registerKernel({
      kernelName: CAUSAL_CONV_2D,
      backendName,
      kernelFunc: ({ inputs, attrs }) =>
        tidy(() => composed(inputs as unknown as Inputs, attrs as unknown as Attributes)),
    });
  }
  const inputs: NamedTensorMap = bias === null ? { x, kernel } : { x, kernel, bias };
  return engine().runKernel(CAUSAL_CONV_2D, inputs, { activation });
}

interface Inputs {
  x: Tensor4D;
  kernel: Tensor4D;
  bias?: Tensor1D;
}

interface Attributes {
  activation: FusedActivation;
}

/** The operation in terms of tfjs's own fused kernels: the implementation of every backend without one of its own. */
function composed({ x, kernel, bias }: Inputs, { activation }: Attributes): Tensor4D {
  const [n, h, w, featuresIn] = x.shape;
  const [rows, columns, , featuresOut] = kernel.shape;
  const optionalBias: NamedTensorMap = bias === undefined ? {} : { bias };
  if (isPointwise(kernel.shape)) {
    const a = reshape(x, [1, n * h * w, featuresIn]);
    const b = reshape(kernel, [1, featuresIn, featuresOut]);
    const y: Tensor = engine().runKernel(
      _FusedMatMul,
      { a, b, ...optionalBias },
      { transposeA: false, transposeB: false, activation },
    ); // [1, N*H*W, out]
    return reshape(y, [n, h, w, featuresOut]);
  }
  return engine().runKernel(
    FusedConv2D,
    { x, filter: kernel, ...optionalBias },
    { strides: 1, pad: padsAbove(rows, columns), dataFormat: 'NHWC', dilations: 1, activation },
  ); // [N,H,W,out]
}

registerGradient({
  kernelName: CAUSAL_CONV_2D,
  inputsToSave: ['x', 'kernel'],
  outputsToSave: [true],
  gradFunc: (dy, saved, attrs) => {
    const [x, kernel, y] = saved as [Tensor4D, Tensor4D, Tensor4D];
    const { activation } = attrs as unknown as Attributes;
    const dz = (activation === 'relu' ? mul(dy as Tensor4D, step(y)) : dy) as Tensor4D; // [N,H,W,out]
    return {
      x: () => inputGradient(dz, kernel),
      kernel: () => kernelGradient(x, dz, kernel.shape),
      bias: () => biasGradient(dz),
    };
  },
});

/** [N,H,W,out] -> [N,H,W,in]: the same convolution turned round, with the kernel flipped and its rows reaching downwards. */
function inputGradient(dz: Tensor4D, kernel: Tensor4D): Tensor4D {
  const [rows, columns, featuresIn, featuresOut] = kernel.shape;
  if (isPointwise(kernel.shape)) {
    const [n, h, w] = dz.shape;
    const dx = matMul(asRows(dz), transpose(reshape(kernel, [featuresIn, featuresOut]))); // [N*H*W, in]
    return reshape(dx, [n, h, w, featuresIn]);
  }
  const flipped = transpose(reverse(kernel, [0, 1]), [0, 1, 3, 2]); // [rows,columns,out,in]
  return conv2d(dz, flipped, 1, padsBelow(rows, columns));
}

/** [N,H,W,in], [N,H,W,out] -> [rows,columns,in,out]: the image, batch as features, convolved with dz as a kernel of its size. */
function kernelGradient(x: Tensor4D, dz: Tensor4D, shape: Tensor4D['shape']): Tensor4D {
  const [rows, columns, featuresIn, featuresOut] = shape;
  if (isPointwise(shape)) return reshape(transposedProduct(asRows(x), asRows(dz)), shape);
  const images = transpose(x, [3, 1, 2, 0]); // [in,H,W,N]
  const kernels = transpose(dz, [1, 2, 0, 3]); // [H,W,N,out]
  const dk = conv2d(images as Tensor4D, kernels as Tensor4D, 1, padsAbove(rows, columns)); // [in,rows,columns,out]
  return reshape(transpose(dk, [1, 2, 0, 3]), [rows, columns, featuresIn, featuresOut]);
}

/** [N,H,W,out] -> [out]: the sum over pixels, as a mean over each image, which is much faster than `sum` on wasm. */
function biasGradient(dz: Tensor4D): Tensor1D {
  const [n, h, w, featuresOut] = dz.shape;
  const means = reshape(avgPool(dz, [h, w], 1, 'valid'), [n, featuresOut]); // [N,out]
  return reshape(matMul(fill([1, n], h * w), means), [featuresOut]);
}

/** Columns up to which a transpose costs next to nothing; wider ones write to too many places at once for the cache. */
const NARROW = 32;

/**
 * aT b: [M,in], [M,out] -> [in,out]. On wasm a transpose flag is slow, so one side is transposed and the other packed by the
 * product: the narrower is packed where transposing is cheap, and transposed where it is not.
 */
function transposedProduct(a: Tensor2D, b: Tensor2D): Tensor2D {
  const isCheap = Math.max(a.shape[1], b.shape[1]) <= NARROW;
  if (isCheap === a.shape[1] > b.shape[1]) return matMul(transpose(a), b);
  return transpose(matMul<Tensor2D>(transpose(b), a));
}

/** [N,H,W,F] -> [N*H*W, F] */
function asRows(x: Tensor4D): Tensor2D {
  const [n, h, w, features] = x.shape;
  return reshape(x, [n * h * w, features]);
}

function isPointwise([rows, columns]: Tensor4D['shape']): boolean {
  return rows === 1 && columns === 1;
}

function padsAbove(rows: number, columns: number): Pads {
  return [[0, 0], [rows - 1, 0], [columns >> 1, columns >> 1], [0, 0]]; // biome-ignore format: one pair a dimension, NHWC
}

function padsBelow(rows: number, columns: number): Pads {
  return [[0, 0], [0, rows - 1], [columns >> 1, columns >> 1], [0, 0]]; // biome-ignore format: one pair a dimension, NHWC
}
