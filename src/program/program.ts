import type { Tensor } from '@tensorflow/tfjs-core';
import { checkKernelSize, wrong } from '../check';
import { getMask, type MaskType } from '../mask';

/** Features [F] of every pixel, one value of a program: what layers are made of when they are evaluated pixel by pixel. */
export interface Features {
  /** F. */
  readonly size: number;
}

/** A masked convolution, for {@link Program.conv}. */
export interface ConvArgs {
  /** [kernel rows, kernel columns, in, out], whole: the mask is applied here. */
  kernel: Tensor;
  /** [out] */
  bias?: Tensor | undefined;
  maskType: MaskType;
  /** Groups of features, as in {@link getMask}. */
  imageChannels: number;
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
  | { readonly op: 'conv'; readonly size: number; readonly input: number; readonly args: ConvArgs }
  | { readonly op: 'map'; readonly size: number; readonly input: number; readonly fn: (x: number) => number }
  | { readonly op: 'relu'; readonly size: number; readonly input: number }
  | { readonly op: 'add' | 'multiply'; readonly size: number; readonly inputs: readonly number[] }
  | { readonly op: 'concat'; readonly size: number; readonly inputs: readonly number[] }
  | ({ readonly op: 'affine'; readonly size: number; readonly input: number } & AffineArgs)
  | ({ readonly op: 'normalize'; readonly size: number; readonly input: number } & NormalizeArgs);

/**
 * A network as a small program over few operations, each on the features of one pixel or, for convolutions, of a window of pixels. A
 * layer says for itself how it is built of them: see {@link IncrementalLayer}.
 */
export class Program {
  readonly nodes: Node[] = [];

  private push(node: Node): Features {
    this.nodes.push(node);
    return { size: node.size, index: this.nodes.length - 1 } as Features;
  }

  /** The image, normalized: one feature a channel. */
  image(imageChannels: number): Features {
    return this.push({ op: 'image', size: imageChannels });
  }

  /** A masked convolution, stride 1, zeros around the image. */
  conv(input: Features, args: ConvArgs): Features {
    const [rows, columns, featuresIn] = args.kernel.shape;
    checkKernelSize('Program: conv: kernel', [rows, columns]);
    if (featuresIn !== input.size) wrong('Program: conv: kernel', `${input.size} input features`, featuresIn);
    return this.push({ op: 'conv', size: args.kernel.shape[3] as number, input: indexOf(input), args });
  }

  /** max(x, 0) of each feature. */
  relu(input: Features): Features {
    return this.push({ op: 'relu', size: input.size, input: indexOf(input) });
  }

  /** Any function of one number, of each feature. For the same bits on every machine it must be made of exact operations. */
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

  /** (x - mean) / sqrt(variance + epsilon), of each feature, over all features of the pixel; then a scale and a shift. */
  normalize(input: Features, args: NormalizeArgs): Features {
    const { gamma, beta } = args;
    checkWeights('normalize', [gamma, beta].filter((weight) => weight !== undefined), input.size); // biome-ignore format: one line
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
  if (node.op === 'image') return [];
  return 'inputs' in node ? node.inputs : [node.input];
}

/** The node that computes features. */
export function indexOf(features: Features): number {
  return (features as Features & { index: number }).index;
}

/**
 * What a layer has that can be evaluated pixel by pixel: a method that builds it of a program's operations. This library's layers
 * have it; a layer of your own may.
 */
export interface IncrementalLayer {
  /** Adds the layer to the program; `inputs` are the features of its inputs, and the result those of its output, or null where it cannot. */
  incremental(program: Program, inputs: readonly Features[]): Features | null;
}

/** For each node and feature, the step in which it is known (see `Layout`). */
export function stepsOf(nodes: readonly Node[]): number[][] {
  const all: number[][] = [];
  const of = (node: number) => all[node] as number[];
  for (const node of nodes) {
    switch (node.op) {
      case 'image':
        all.push(Array.from({ length: node.size }, (_, channel) => channel + 1));
        break;
      case 'conv':
        all.push(convSteps(of(node.input), node.size, node.args));
        break;
      case 'concat':
        all.push(node.inputs.flatMap(of));
        break;
      case 'add':
      case 'multiply':
        all.push(
          of(node.inputs[0] as number).map((_, f) => Math.max(...node.inputs.map((i) => of(i)[f] as number))),
        );
        break;
      case 'normalize': {
        const last = of(node.input).reduce((most, step) => Math.max(most, step), 0);
        all.push(of(node.input).map(() => last));
        break;
      }
      default:
        all.push(of(node.input));
    }
  }
  return all;
}

/** An output of a convolution is known with the last of the inputs that it sees at the present pixel. */
function convSteps(inputs: readonly number[], size: number, { maskType, imageChannels }: ConvArgs): number[] {
  const { values } = getMask({
    kernelSize: 1,
    featuresIn: inputs.length,
    featuresOut: size,
    maskType,
    imageChannels,
  });
  const steps = new Array<number>(size).fill(0);
  for (let i = 0; i < inputs.length; i++) {
    for (let o = 0; o < size; o++) {
      if (values[i * size + o] === 1) steps[o] = Math.max(steps[o] as number, inputs[i] as number);
    }
  }
  return steps;
}
