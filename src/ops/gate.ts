import {
  add,
  avgPool,
  concat,
  customGrad,
  engine,
  type GradSaveFunc,
  mul,
  reshape,
  sigmoid,
  split,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  tanh,
} from '@tensorflow/tfjs-core';
import { wasmGate, wasmGateGradient } from './wasm-gate';

/**
 * tanh(a) sigmoid(b), the gate of gated PixelCNN, with a gradient of its own. The features of x are
 * channel-major: groups of 2F/imageChannels, of which the first half is a and the second half b.
 *
 * Source: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders" (2016), equations 2 and
 * 4.
 *
 * @param x [N,H,W,2F], where 2 imageChannels divides 2F
 * @param condition [N,2F], added to x at every pixel, or null
 * @returns [N,H,W,F]
 */
export function gate(x: Tensor4D, imageChannels: number, condition: Tensor2D | null = null): Tensor4D {
  const inputs = condition === null ? [x] : [x, condition];
  const op = customGrad<Tensor4D>((...args) => {
    (args.at(-1) as GradSaveFunc)(inputs);
    return {
      value: wasmGate(x, imageChannels, condition) ?? composedGate(x, imageChannels, condition),
      gradFunc(dy, saved) {
        const [savedX, savedCondition] = saved as [Tensor4D, Tensor2D?];
        return gradients(dy, savedX, imageChannels, savedCondition ?? null);
      },
    };
  });
  return op(...inputs);
}

/**
 * For x [N,H,W,2F] and for the condition [N,2F]. Those that are recorded on a tape must be differentiable
 * themselves.
 */
function gradients(dy: Tensor4D, x: Tensor4D, imageChannels: number, condition: Tensor2D | null): Tensor[] {
  const isRecorded = engine().state.gradientDepth > 0;
  const own = isRecorded ? null : wasmGateGradient(dy, x, imageChannels, condition);
  const dx = own ?? composedGradient(dy, x, imageChannels, condition);
  if (condition === null) return [dx];
  return [dx, isRecorded ? sum(dx, [1, 2]) : sumOverPixels(dx)];
}

function composedGate(x: Tensor4D, imageChannels: number, condition: Tensor2D | null): Tensor4D {
  const [n, h, w, features] = x.shape;
  const [a, b] = halves(x, imageChannels, condition);
  return reshape(mul(tanh(a), sigmoid(b)), [n, h, w, features / 2]); // [N*H*W*C, G] -> [N,H,W,F]
}

/** [N,H,W,2F] */
function composedGradient(
  dy: Tensor4D,
  x: Tensor4D,
  imageChannels: number,
  condition: Tensor2D | null,
): Tensor4D {
  const [a, b] = halves(x, imageChannels, condition);
  const [t, s] = [tanh(a), sigmoid(b)];
  const ds = mul(reshape(dy, s.shape), s); // [N*H*W*C, G]
  const da = mul(ds, sub(1, square(t)));
  const db = mul(ds, mul(t, sub(1, s)));
  return reshape(concat([da, db], 1), x.shape); // [N*H*W*C, 2G] -> [N,H,W,2F]
}

/**
 * a and b of x plus the condition: [N,H,W,2F] -> two of [N*H*W*C, G], where C is the channels of the image
 * and G = F/C.
 */
function halves(x: Tensor4D, imageChannels: number, condition: Tensor2D | null): [Tensor2D, Tensor2D] {
  const [n, h, w, features] = x.shape;
  const z = condition === null ? x : add(x, reshape(condition, [n, 1, 1, features])); // [N,H,W,2F]
  const groups = reshape(z, [n * h * w * imageChannels, features / imageChannels]); // [N*H*W*C, 2G]
  return split(groups, 2, 1) as [Tensor2D, Tensor2D];
}

/** [N,H,W,F] -> [N,F], as a mean over each image, which is much faster than `sum` on wasm. */
function sumOverPixels(x: Tensor4D): Tensor2D {
  const [n, h, w, features] = x.shape;
  return mul(reshape(avgPool(x, [h, w], 1, 'valid'), [n, features]), h * w);
}
