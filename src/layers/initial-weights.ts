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
import type { LayerWeight, NormalizedKernel } from '../program/ops';

/** A variance of outputs, to 1 and the square of their mean, that says nothing of their scale: they are the same but for rounding. */
const NO_VARIANCE = 1e-10;

/** A weight that can be written, as tfjs-layers has them. */
type Writable = LayerWeight & { write(value: Tensor): unknown };

/**
 * The gains and biases that weight-normed convolutions begin with, so that the outputs of each have mean 0 and its initial
 * scale as their standard deviation over a batch. Written when all are known.
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
   * A convolution's outputs of gain 1 without bias [N,H,W,out], with the gain and bias that it begins with: those it has
   * where it was used before.
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

  /** Gives the weights their values. */
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
