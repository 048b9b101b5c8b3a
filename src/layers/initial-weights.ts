import {
  add,
  concat,
  keep,
  lessEqual,
  moments,
  mul,
  neg,
  rsqrt,
  square,
  sub,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
  tidy,
  where,
} from '@tensorflow/tfjs-core';
import type { LayerWeight, NormalizedKernel } from '../program/weights';

/**
 * If the variance of outputs, relative to 1 plus the square of their mean, is below this, they differ by rounding only
 * and have no scale.
 */
const NO_VARIANCE = 1e-10;

/** A weight that can be written, as those of tfjs-layers can. */
type Writable = LayerWeight & { write(value: Tensor): unknown };

/**
 * The initial gains and biases of weight-normed convolutions, chosen so that the outputs of each have mean 0 over a
 * batch, and its initial scale as their standard deviation. They are written once all are known.
 *
 * Source: Salimans, Kingma, "Weight normalization" (2016), https://arxiv.org/abs/1602.07868, section 3.
 */
export class InitialWeights {
  private readonly values = new Map<LayerWeight, Tensor1D>();

  /** How many weights have a value so far. */
  get size(): number {
    return this.values.size;
  }

  /**
   * Applies the initial gain and bias to a convolution's outputs [N,H,W,out], which have gain 1 and no bias. If the
   * convolution was used before, it keeps the gain and bias chosen then.
   */
  scaled({ gain, initialScale = 1 }: NormalizedKernel, bias: LayerWeight | null, y: Tensor4D): Tensor4D {
    if (!this.values.has(gain)) {
      const rough = moments(y, [0, 1, 2]).mean; // [out]; float32 may round sums over many pixels by a thousandth
      const { mean: rest, variance } = moments(sub(y, rough), [0, 1, 2]); // [out], both
      const mean: Tensor1D = add(rough, rest);
      const isConstant = lessEqual(variance, mul(add(square(mean), 1), NO_VARIANCE)); // [out]; a NaN is not
      const fitting = mul(rsqrt(variance), initialScale); // [out]
      const gains = where(isConstant, gain.read() as Tensor1D, fitting) as Tensor1D; // [out]
      this.values.set(gain, keep(gains));
      if (bias !== null) this.values.set(bias, keep(neg(mul(mean, gains)) as Tensor1D));
    }
    const scaled = mul<Tensor4D>(y, this.values.get(gain) as Tensor1D);
    const shift = bias === null ? undefined : this.values.get(bias);
    return shift === undefined ? scaled : add(scaled, shift); // [N,H,W,out]
  }

  /** Whether all values are numbers. */
  async areFinite(): Promise<boolean> {
    const all = tidy(() => concat([...this.values.values()])); // [all values]
    try {
      return (await all.data()).every(Number.isFinite);
    } finally {
      all.dispose();
    }
  }

  /** Writes the values to the weights. */
  write(): void {
    tidy(() => {
      for (const [weight, value] of this.values) (weight as Writable).write(value); // constraints leave tensors behind
    });
  }

  /** Releases all memory. */
  dispose(): void {
    for (const value of this.values.values()) value.dispose();
    this.values.clear();
  }
}
