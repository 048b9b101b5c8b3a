import type { Tensor } from '@tensorflow/tfjs-core';
import { checkArgs, type NamesOf } from '../core/check';
import { type MaskType, windowOf } from '../core/window';
import type { Features, ProgramBuilder } from '../program/builder';
import type { LayerWeight } from '../program/ops';

// The interface that layers used in version 0.1, which still works: a method `incremental` beside `call`. It offers
// nothing that `express` does not, except that `map` takes any function.

/** A masked convolution, for {@link Program.conv}. */
export interface ConvArgs {
  /** [kernel rows, kernel columns, in, out], whole: the mask is applied here; or [in, out], of 1x1. */
  kernel: Tensor;
  /** [out] */
  bias?: Tensor | undefined;
  /** As in {@link getMask}. */
  maskType: MaskType;
  /** Groups of features, as in {@link getMask}. */
  imageChannels: number;
  /** Whether the mask is that of a vertical stack, as in {@link getMask}. @default false */
  vertical?: boolean;
}

/** A scale and a shift for each feature, for {@link Program.affine}. */
export interface AffineArgs {
  /** Each [F]. */
  readonly weights: readonly Tensor[];
  /** [scale, shift] of a feature from its numbers in `weights`, in their order. */
  readonly numbers: (weights: readonly number[]) => [scale: number, shift: number];
}

/** A normalization over features, for {@link Program.normalize}. */
export interface NormalizeArgs {
  /** Scale of each feature, [F]. @default 1 */
  readonly gamma?: Tensor | undefined;
  /** Shift of each feature, [F]. @default 0 */
  readonly beta?: Tensor | undefined;
  /** Added to the variance. */
  readonly epsilon: number;
}

const normalizeNames: NamesOf<NormalizeArgs> = { gamma: true, beta: true, epsilon: true };

/** A network as a small program over a few operations. Each layer says how it is built from them. */
export class Program {
  private readonly weights = new Map<Tensor, LayerWeight>();

  constructor(
    /** @internal */
    readonly builder: ProgramBuilder,
  ) {}

  /** A masked convolution, stride 1, zeros around the image. */
  conv(input: Features, { kernel, bias, ...mask }: ConvArgs): Features {
    const [rows = 1, columns = 1] = kernel.rank === 2 ? [1, 1] : kernel.shape;
    const window = windowOf({ ...mask, kernelSize: [rows, columns] });
    return this.builder.conv(
      input,
      this.weight('kernel', kernel),
      this.optional('bias', bias) ?? null,
      window,
    );
  }

  /** max(x, 0) of each feature. */
  relu(input: Features): Features {
    return this.builder.pointwise('relu', input);
  }

  /**
   * tanh(a) sigmoid(b). Each of `imageChannels` groups of features holds a, then as many features b, so half as many
   * features come out.
   */
  gate(input: Features, imageChannels: number): Features {
    return this.builder.gate(input, imageChannels);
  }

  /**
   * Applies any function of one number to each feature. For identical results on every machine, use exact operations
   * only. A model with such a layer can be sampled, but not made portable.
   */
  map(input: Features, fn: (x: number) => number): Features {
    return this.builder.closure(input, fn);
  }

  /** The sum of features of the same size. */
  add(...inputs: Features[]): Features {
    return this.builder.combine('add', ...inputs);
  }

  /** The product of features of the same size. */
  multiply(...inputs: Features[]): Features {
    return this.builder.combine('multiply', ...inputs);
  }

  /** Concatenates features. */
  concat(...inputs: Features[]): Features {
    return this.builder.concat(...inputs);
  }

  /** scale x + shift, with a scale and a shift for each feature. */
  affine(input: Features, { weights, numbers }: AffineArgs): Features {
    const of = weights.map((weight, i) => this.weight(`weight${i}`, weight));
    return this.builder.affineOf(input, of, (values) => numbers(values));
  }

  /**
   * (x - mean) / sqrt(variance + epsilon), of each feature, over all features of the pixel; then a scale and
   * a shift.
   */
  normalize(input: Features, args: NormalizeArgs): Features {
    const { gamma, beta, epsilon } = checkArgs('normalize', args, normalizeNames);
    const scale = this.optional('gamma', gamma);
    return this.builder.normalize(input, { epsilon, scale, shift: this.optional('beta', beta) });
  }

  private optional(name: string, tensor: Tensor | undefined): LayerWeight | undefined {
    return tensor === undefined ? undefined : this.weight(name, tensor);
  }

  private weight(name: string, tensor: Tensor): LayerWeight {
    const known = this.weights.get(tensor);
    if (known !== undefined) return known;
    const weight = { name, shape: tensor.shape, read: () => tensor };
    this.weights.set(tensor, weight);
    return weight;
  }
}

/**
 * A layer that can be evaluated pixel by pixel has this method, which builds it from a program's operations. A layer of
 * your own may have it too, though new ones should rather extend {@link PixelLayer}.
 */
export interface IncrementalLayer {
  /**
   * Adds the layer to the program. Takes the features of its inputs and returns those of its output, or null if it
   * cannot be added.
   */
  incremental(program: Program, inputs: readonly Features[]): Features | null;
}
