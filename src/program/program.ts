import type { Tensor } from '@tensorflow/tfjs-core';
import { checkFeatures, checkKernelSize, wrong } from '../check';
import { getMask, type MaskType } from '../mask';

/**
 * Features [F] of every pixel, one value of a program: what layers are made of when they are evaluated pixel
 * by pixel.
 */
export interface Features {
  /** F. */
  readonly size: number;
}

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

/** One operation of a program, as an evaluator runs it. Operands are indices of earlier nodes. */
export type Node =
  | { readonly op: 'image'; readonly size: number }
  | { readonly op: 'condition'; readonly size: number; readonly isMap: boolean }
  | { readonly op: 'conv'; readonly size: number; readonly input: number; readonly args: ConvArgs }
  | { readonly op: 'map'; readonly size: number; readonly input: number; readonly fn: (x: number) => number }
  | { readonly op: 'relu'; readonly size: number; readonly input: number }
  | { readonly op: 'add' | 'multiply'; readonly size: number; readonly inputs: readonly number[] }
  | { readonly op: 'concat'; readonly size: number; readonly inputs: readonly number[] }
  | { readonly op: 'gate'; readonly size: number; readonly input: number; readonly imageChannels: number }
  | ({ readonly op: 'affine'; readonly size: number; readonly input: number } & AffineArgs)
  | ({ readonly op: 'normalize'; readonly size: number; readonly input: number } & NormalizeArgs);

/**
 * A network as a small program over few operations, each on the features of one pixel or, for convolutions,
 * of a window of pixels. A layer says for itself how it is built of them: see {@link IncrementalLayer}.
 */
export class Program {
  /** What has been added so far, as an evaluator runs it. @internal */
  readonly nodes: Node[] = [];

  /** Whether each node is the same at every pixel of an image: made of its condition alone. */
  private readonly isOfImage: boolean[] = [];

  private push(node: Node): Features {
    const isOfImage = (operand: number) => this.isOfImage[operand] as boolean;
    this.isOfImage.push(
      node.op === 'condition' ? !node.isMap : node.op !== 'image' && operandsOf(node).every(isOfImage),
    );
    this.nodes.push(node);
    return { size: node.size, index: this.nodes.length - 1 } as Features;
  }

  /** The image, normalized: one feature a channel. @internal */
  image(imageChannels: number): Features {
    return this.push({ op: 'image', size: imageChannels });
  }

  /** What the image is conditioned on: numbers of the image, or of each of its pixels. @internal */
  condition(size: number, isMap: boolean): Features {
    return this.push({ op: 'condition', size, isMap });
  }

  /** A masked convolution, stride 1, zeros around the image. */
  conv(input: Features, args: ConvArgs): Features {
    const [rows, columns, featuresIn, featuresOut] = kernelShape(args);
    checkKernelSize('Program: conv: kernel', [rows, columns]);
    if (featuresIn !== input.size) wrong('Program: conv: kernel', `${input.size} input features`, featuresIn);
    if (rows * columns > 1 && this.isOfImage[indexOf(input)]) {
      wrong('Program: conv: kernel', '1x1, since its input is the same at every pixel', [rows, columns]);
    }
    return this.push({ op: 'conv', size: featuresOut, input: indexOf(input), args });
  }

  /** max(x, 0) of each feature. */
  relu(input: Features): Features {
    return this.push({ op: 'relu', size: input.size, input: indexOf(input) });
  }

  /**
   * tanh(a) sigmoid(b), where each of imageChannels groups of features is a, then as many b: half as many
   * features.
   */
  gate(input: Features, imageChannels: number): Features {
    checkFeatures('Program: gate: input', input.size, 2 * imageChannels, '2 * imageChannels');
    return this.push({ op: 'gate', size: input.size / 2, input: indexOf(input), imageChannels });
  }

  /**
   * Any function of one number, of each feature. For the same bits on every machine it must be made of exact
   * operations.
   */
  map(input: Features, fn: (x: number) => number): Features {
    return this.push({ op: 'map', size: input.size, input: indexOf(input), fn });
  }

  /** The sum of features of the same size. */
  add(...inputs: Features[]): Features {
    return this.push({ op: 'add', size: oneSize('add', inputs), inputs: inputs.map(indexOf) });
  }

  /** The product of features of the same size. */
  multiply(...inputs: Features[]): Features {
    return this.push({ op: 'multiply', size: oneSize('multiply', inputs), inputs: inputs.map(indexOf) });
  }

  /** One after the other. */
  concat(...inputs: Features[]): Features {
    const size = inputs.reduce((sum, input) => sum + input.size, 0);
    return this.push({ op: 'concat', size, inputs: inputs.map(indexOf) });
  }

  /** scale x + shift, of each feature with its own numbers. */
  affine(input: Features, args: AffineArgs): Features {
    checkWeights('affine', args.weights, input.size);
    return this.push({ op: 'affine', size: input.size, input: indexOf(input), ...args });
  }

  /**
   * (x - mean) / sqrt(variance + epsilon), of each feature, over all features of the pixel; then a scale and
   * a shift.
   */
  normalize(input: Features, args: NormalizeArgs): Features {
    const { gamma, beta } = args;
    const weights = [gamma, beta].filter((weight) => weight !== undefined);
    checkWeights('normalize', weights, input.size);
    return this.push({ op: 'normalize', size: input.size, input: indexOf(input), ...args });
  }
}

function checkWeights(op: string, weights: readonly Tensor[], size: number): void {
  for (const weight of weights) {
    if (weight.size !== size) wrong(`Program: ${op}`, `weights [${size}]`, weight.shape);
  }
}

function oneSize(op: string, inputs: readonly Features[]): number {
  const sizes = new Set(inputs.map(({ size }) => size));
  if (sizes.size !== 1) wrong(`Program: ${op}`, 'features of one size', [...sizes]);
  return (inputs[0] as Features).size;
}

/** The nodes that a node is made of. */
export function operandsOf(node: Node): readonly number[] {
  if (node.op === 'image' || node.op === 'condition') return [];
  return 'inputs' in node ? node.inputs : [node.input];
}

/** The node that computes features. */
export function indexOf(features: Features): number {
  return (features as Features & { index: number }).index;
}

/**
 * What a layer has that can be evaluated pixel by pixel: a method that builds it of a program's operations.
 * This library's layers have it; a layer of your own may.
 */
export interface IncrementalLayer {
  /**
   * Adds the layer to the program; `inputs` are the features of its inputs, and the result those of its
   * output, or null where it cannot.
   */
  incremental(program: Program, inputs: readonly Features[]): Features | null;
}

/** [kernel rows, kernel columns, in, out] */
export function kernelShape({ kernel: { shape } }: ConvArgs): [number, number, number, number] {
  return (shape.length === 2 ? [1, 1, ...shape] : shape) as [number, number, number, number];
}
