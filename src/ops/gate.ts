import * as tf from '@tensorflow/tfjs-core';
import { GATE, GLU } from '../runtime/kernels/modules';
import type { GateKind } from '../runtime/program/operations/gate';
import { byLoops, defineOperation, type Gradients } from './operation';
import { outputs } from './wasm-kernels';

type Inputs = { readonly x: tf.Tensor4D; readonly condition: tf.Tensor2D | undefined };

type Attributes = { readonly imageChannels: number; readonly kind: GateKind };

/**
 * tanh(a) sigmoid(b), the gate of gated PixelCNN, or a sigmoid(b), of PixelCNN++, with a custom gradient. Features are
 * channel-major: of each group of 2F/imageChannels, the first half is a and the second half b.
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
  x: tf.Tensor4D,
  imageChannels: number,
  condition: tf.Tensor2D | null = null,
  kind: GateKind = 'tanh',
): tf.Tensor4D {
  return operation({ x, condition: condition ?? undefined }, { imageChannels, kind });
}

const operation = defineOperation<Inputs, Attributes, Inputs, tf.Tensor4D>({
  name: 'gate',
  composed: {
    forward(inputs, attributes) {
      const [n, h, w, features] = inputs.x.shape;
      const [a, b] = halves(inputs, attributes);
      const t = attributes.kind === 'tanh' ? tf.tanh(a) : a;
      const y = tf.reshape(tf.mul(t, tf.sigmoid(b)), [n, h, w, features / 2]); // [N*H*W*C, G] -> [N,H,W,F]
      return { y: y as tf.Tensor4D, saved: inputs };
    },
    gradients(dy, inputs, attributes) {
      const [a, b] = halves(inputs, attributes);
      const isTanh = attributes.kind === 'tanh';
      const [t, s] = [isTanh ? tf.tanh(a) : a, tf.sigmoid(b)];
      const ds = tf.mul(tf.reshape(dy, s.shape), s); // [N*H*W*C, G]
      const da = isTanh ? tf.mul(ds, tf.sub(1, tf.square(t))) : ds;
      const db = tf.mul(ds, tf.mul(t, tf.sub(1, s)));
      return fromInputGradient(tf.reshape(tf.concat([da, db], 1), inputs.x.shape)); // [N*H*W*C, 2G] -> [N,H,W,2F]
    },
  },
});

/** a and b of x plus the condition: [N,H,W,2F] -> two of [N*H*W*C, G], with C image channels and G = F/C. */
function halves({ x, condition }: Inputs, { imageChannels }: Attributes): [tf.Tensor2D, tf.Tensor2D] {
  const [n, h, w, features] = x.shape;
  const z = condition === undefined ? x : tf.add(x, tf.reshape(condition, [n, 1, 1, features])); // [N,H,W,2F]
  const groups = tf.reshape(z, [n * h * w * imageChannels, features / imageChannels]); // [N*H*W*C, 2G]
  return tf.split(groups, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
}

const byLoopsOf = (name: string, module: typeof GATE) =>
  byLoops(name, [module], ['x'], {
    forward(loops, { x, condition }: Inputs, attributes: Attributes) {
      const [n, h, w, features] = x.shape;
      return outputs([[n, h, w, features / 2]], loops.gate, [x, condition], sizesOf(x, attributes));
    },
    gradients: (loops, { dy, x, condition }, attributes) =>
      outputs([x.shape], loops.gateBack, [dy, x, condition], sizesOf(x, attributes)),
  });

/** Images, pixels of an image, groups of features, and output features of a group. */
const sizesOf = ({ shape: [n, h, w, features] }: tf.Tensor4D, { imageChannels }: Attributes) =>
  [n, h * w, imageChannels, features / (2 * imageChannels)] as const;

/** Both gradients, from that for x [N,H,W,2F]. A mean over pixels is much faster than `sum` on wasm. */
function fromInputGradient(dx: tf.Tensor4D): Gradients<Inputs> {
  const [n, h, w, features] = dx.shape;
  const means = () => tf.reshape(tf.avgPool(dx, [h, w], 1, 'valid'), [n, features]); // [N,2F]
  return { x: dx, condition: () => tf.mul(means(), h * w) };
}

export function provideGateKernels(): void {
  const kinds = { tanh: byLoopsOf('PixelCNNGate', GATE), linear: byLoopsOf('PixelCNNLinearGate', GLU) };
  operation.useKernels({
    forward: (inputs, attributes) => kinds[attributes.kind].forward(inputs, attributes),
    gradients(dy, inputs, attributes) {
      const { x } = kinds[attributes.kind].gradients(dy, inputs, attributes);
      return fromInputGradient(x as tf.Tensor4D);
    },
  });
}
