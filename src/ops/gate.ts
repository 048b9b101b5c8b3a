import {
  add,
  avgPool,
  concat,
  mul,
  reshape,
  sigmoid,
  split,
  square,
  sub,
  type Tensor2D,
  type Tensor4D,
  tanh,
} from '@tensorflow/tfjs-core';
import type { GateKind } from '../program/operations/gate';
import { defineOperation, type Gradients, type Implementation } from './operation';
import { address, filled, wasmKernel } from './wasm-kernels';

interface Inputs {
  /** [N,H,W,2F] */
  readonly x: Tensor4D;
  /** [N,2F] */
  readonly condition: Tensor2D | undefined;
}

type Attributes = { readonly imageChannels: number; readonly kind: GateKind };

/** Its gradients need its inputs. */
type Gate = Implementation<Inputs, Attributes, Inputs, Tensor4D>;

/**
 * tanh(a) sigmoid(b), the gate of gated PixelCNN, or a sigmoid(b), the gate of PixelCNN++, with a custom gradient. The
 * features of x are channel-major: in each group of 2F/imageChannels features, the first half is a and the second half
 * b.
 *
 * Source: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders" (2016),
 * https://arxiv.org/abs/1606.05328, equations 2 and 4; Salimans et al., "PixelCNN++" (2017),
 * https://arxiv.org/abs/1701.05517, and its code.
 *
 * @param x [N,H,W,2F], where 2 imageChannels divides 2F
 * @param condition [N,2F], added to x at every pixel, or null
 * @returns [N,H,W,F]
 */
export function gate(
  x: Tensor4D,
  imageChannels: number,
  condition: Tensor2D | null = null,
  kind: GateKind = 'tanh',
): Tensor4D {
  return operation({ x, condition: condition ?? undefined }, { imageChannels, kind });
}

const composed: Gate = {
  forward(inputs, attributes) {
    const [n, h, w, features] = inputs.x.shape;
    const [a, b] = halves(inputs, attributes);
    const t = attributes.kind === 'tanh' ? tanh(a) : a;
    const y = reshape(mul(t, sigmoid(b)), [n, h, w, features / 2]); // [N*H*W*C, G] -> [N,H,W,F]
    return { y: y as Tensor4D, saved: inputs };
  },
  gradients(dy, inputs, attributes) {
    const [a, b] = halves(inputs, attributes);
    const isTanh = attributes.kind === 'tanh';
    const [t, s] = [isTanh ? tanh(a) : a, sigmoid(b)];
    const ds = mul(reshape(dy, s.shape), s); // [N*H*W*C, G]
    const da = isTanh ? mul(ds, sub(1, square(t))) : ds;
    const db = mul(ds, mul(t, sub(1, s)));
    return fromInputGradient(reshape(concat([da, db], 1), inputs.x.shape)); // [N*H*W*C, 2G] -> [N,H,W,2F]
  },
};

/**
 * a and b of x plus the condition: [N,H,W,2F] -> two of [N*H*W*C, G], where C is the channels of the image
 * and G = F/C.
 */
function halves({ x, condition }: Inputs, { imageChannels }: Attributes): [Tensor2D, Tensor2D] {
  const [n, h, w, features] = x.shape;
  const z = condition === undefined ? x : add(x, reshape(condition, [n, 1, 1, features])); // [N,H,W,2F]
  const groups = reshape(z, [n * h * w * imageChannels, features / imageChannels]); // [N*H*W*C, 2G]
  return split(groups, 2, 1) as [Tensor2D, Tensor2D];
}

const wasmForward = wasmKernel<Inputs, Attributes, Tensor4D>(
  'PixelCNNGate',
  (kernels, { x, condition }, attributes) => {
    const [n, h, w, features] = x.shape;
    const loop = attributes.kind === 'linear' ? kernels.linearGate : kernels.gate;
    const [y] = filled([[n, h, w, features / 2]], 0, ([y]) =>
      loop(y, address(x), address(condition), ...sizesOf(x, attributes)),
    );
    return y;
  },
);

const wasmInputGradient = wasmKernel<Inputs & { readonly dy: Tensor4D }, Attributes, Tensor4D>(
  'PixelCNNGateGradient',
  (kernels, { dy, x, condition }, attributes) => {
    const loop = attributes.kind === 'linear' ? kernels.linearGateBack : kernels.gateBack;
    const [dx] = filled([x.shape], 0, ([dx]) =>
      loop(dx, address(dy), address(x), address(condition), ...sizesOf(x, attributes)),
    );
    return dx;
  },
);

/** Images, pixels of each, groups of features and features of the output in each. */
function sizesOf({ shape: [n, h, w, features] }: Tensor4D, { imageChannels }: Attributes) {
  return [n, h * w, imageChannels, features / (2 * imageChannels)] as const;
}

/** Both gradients, derived from that for x [N,H,W,2F]: the condition is added at every pixel. */
function fromInputGradient(dx: Tensor4D): Gradients<Inputs> {
  return { x: () => dx, condition: () => sumOfEachImage(dx) };
}

/** [N,H,W,2F] -> [N,2F], as a mean over each image, which is much faster than `sum` on wasm. */
function sumOfEachImage(x: Tensor4D): Tensor2D {
  const [n, h, w, features] = x.shape;
  return mul(reshape(avgPool(x, [h, w], 1, 'valid'), [n, features]), h * w); // [N,1,1,2F] -> [N,2F]
}

const operation = defineOperation<Inputs, Attributes, Inputs, Tensor4D>({
  name: 'gate',
  composed,
  wasmImplementation: {
    supports: ({ x, condition }) =>
      x.dtype === 'float32' && (condition === undefined || condition.dtype === 'float32'),
    forward: (inputs, attributes) => ({ y: wasmForward(inputs, attributes), saved: inputs }),
    gradients: (dy, inputs, attributes) =>
      fromInputGradient(wasmInputGradient({ dy, ...inputs }, attributes)),
  },
});
