import * as tf from '@tensorflow/tfjs-core';
import type { LayerWeight, NormalizedKernel } from '../runtime/program/weights';

/** If the variance of outputs, relative to 1 plus their squared mean, is below this, they differ only by rounding. */
const NO_VARIANCE = 1e-10;

/** A weight that can be written, as in tfjs-layers. */
type Writable = LayerWeight & { write(value: tf.Tensor): unknown };

/**
 * The initial gains and biases of weight-normed convolutions, chosen so that each one's outputs have mean 0
 * over a batch, and its initial scale as their standard deviation. They are written once all are known.
 *
 * Source: Salimans, Kingma, "Weight normalization" (2016), https://arxiv.org/abs/1602.07868, section 3.
 */
export class InitialWeights {
  private readonly values = new Map<LayerWeight, tf.Tensor1D>();

  get size(): number {
    return this.values.size;
  }

  /** Applies the gain and bias chosen at first use to outputs [N,H,W,out] of gain 1, without bias. */
  scaled({ gain, initialScale = 1 }: NormalizedKernel, bias: LayerWeight | null, y: tf.Tensor4D) {
    if (!this.values.has(gain)) {
      const rough = tf.moments(y, [0, 1, 2]).mean; // [out]; float32 may round sums over many pixels by a thousandth
      const { mean: rest, variance } = tf.moments(tf.sub(y, rough), [0, 1, 2]); // [out], both
      const mean: tf.Tensor1D = tf.add(rough, rest);
      const isConstant = tf.lessEqual(variance, tf.mul(tf.add(tf.square(mean), 1), NO_VARIANCE)); // [out]; false for NaN
      const fitting = tf.mul(tf.rsqrt(variance), initialScale); // [out]
      const gains = tf.where(isConstant, gain.read() as tf.Tensor1D, fitting) as tf.Tensor1D; // [out]
      this.values.set(gain, tf.keep(gains));
      if (bias !== null) this.values.set(bias, tf.keep(tf.neg(tf.mul(mean, gains)) as tf.Tensor1D));
    }
    const scaled = tf.mul<tf.Tensor4D>(y, this.values.get(gain) as tf.Tensor1D);
    const shift = bias === null ? undefined : this.values.get(bias);
    return shift === undefined ? scaled : tf.add<tf.Tensor4D>(scaled, shift); // [N,H,W,out]
  }

  async areFinite(): Promise<boolean> {
    const all = tf.tidy(() => tf.concat([...this.values.values()])); // [all values]
    try {
      return (await all.data()).every(Number.isFinite);
    } finally {
      all.dispose();
    }
  }

  write(): void {
    tf.tidy(() => {
      for (const [weight, value] of this.values) (weight as Writable).write(value); // constraints leave tensors behind
    });
  }

  dispose(): void {
    for (const value of this.values.values()) value.dispose();
    this.values.clear();
  }
}
