import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { noise } from '../tensors';

// Gated PixelCNN in plain numbers (float64), by its definition in the paper and with none of this library's code: what layers and models must equal.

/** Features of every pixel, [H][W][F]. */
export type Grid = readonly (readonly (readonly number[])[])[];

/** A vector [K], or a map [H][W][K]. */
export type SlowCondition = readonly number[] | Grid;

/** An array, row-major. */
export interface SlowWeight {
  /** layer/weight */
  readonly name?: string;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** Whether a tap so many rows and columns from the current pixel, between an input and an output feature, is used. */
type Sees = (row: number, column: number, from: number, to: number) => boolean;

/** A kernel [rows, columns, in, out] over zeros around the image, without those taps that are not seen. */
function convolve(x: Grid, kernel: SlowWeight, sees: Sees, bias?: SlowWeight): Grid {
  const [rows, columns, featuresIn, featuresOut] = kernel.shape as [number, number, number, number];
  return x.map((line, r) =>
    line.map((_, c) =>
      Array.from({ length: featuresOut }, (_, to) => {
        let sum = bias?.data[to] ?? 0;
        for (let i = 0; i < rows; i++) {
          for (let j = 0; j < columns; j++) {
            const [dr, dc] = [i - (rows - 1) / 2, j - (columns - 1) / 2];
            const pixel = x[r + dr]?.[c + dc] ?? [];
            for (const [from, value] of pixel.entries()) {
              const tap = ((i * columns + j) * featuresIn + from) * featuresOut + to;
              if (sees(dr, dc, from, to)) sum += value * (kernel.data[tap] as number);
            }
          }
        }
        return sum;
      }),
    ),
  );
}

/** Rows above (A), and the current one (B). */
const seesRows =
  (maskType: 'A' | 'B'): Sees =>
  (row) =>
    maskType === 'A' ? row < 0 : row <= 0;

/** How features are of channels: one channel after the other, or, as other programs have it, in turn. */
interface Order {
  imageChannels: number;
  isInterleaved?: boolean;
}

/** Pixels before, and at the current one the channels before (A), and a channel itself (B). */
const seesEarlier =
  (maskType: 'A' | 'B', { imageChannels, isInterleaved }: Order, { shape }: SlowWeight): Sees =>
  (row, column, from, to) => {
    if (row !== 0 || column !== 0) return row < 0 || (row === 0 && column < 0);
    const channel = (feature: number, of: number) => (isInterleaved ? feature % imageChannels : Math.floor((feature * imageChannels) / of));
    const [own, other] = [channel(to, shape[3] as number), channel(from, shape[2] as number)];
    return maskType === 'A' ? other < own : other <= own;
  };

/** The masked convolution of a stack, alone. */
export function slowConv(
  x: Grid,
  [kernel, bias]: readonly [SlowWeight, SlowWeight?],
  { maskType, imageChannels, vertical }: { maskType: 'A' | 'B'; imageChannels: number; vertical: boolean },
): Grid {
  const sees = vertical ? seesRows(maskType) : seesEarlier(maskType, { imageChannels }, kernel);
  return convolve(x, kernel, sees, bias);
}

export const map = (x: Grid, fn: (features: readonly number[], r: number, c: number) => number[]): Grid =>
  x.map((line, r) => line.map((features, c) => fn(features, r, c)));

export const add = (x: Grid, y: Grid): Grid => map(x, (features, r, c) => features.map((value, f) => value + (y[r]?.[c]?.[f] as number)));

const relu = (x: Grid): Grid => map(x, (features) => features.map((value) => Math.max(value, 0)));

/** tanh(a) sigmoid(b), where each channel's features are a and then b; all of a come first where channels come in turn. */
function gate(x: Grid, { imageChannels, isInterleaved }: Order): Grid {
  return map(x, (features) => {
    const half = features.length / 2 / (isInterleaved ? 1 : imageChannels);
    return Array.from({ length: features.length / 2 }, (_, f) => {
      const a = Math.floor(f / half) * 2 * half + (f % half);
      return Math.tanh(features[a] as number) / (1 + Math.exp(-(features[a + half] as number)));
    });
  });
}

/** The same as a map: a vector is that of every pixel. */
function spread(condition: SlowCondition, like: Grid): Grid {
  const isVector = typeof condition[0] === 'number';
  return isVector ? map(like, () => condition as number[]) : (condition as Grid);
}

/** Weights by name; each must be asked for before `finish`. */
export function weightsByName(weights: readonly SlowWeight[]): { of: (name: string) => SlowWeight; finish(): void } {
  const unused = new Map(weights.map((weight) => [weight.name, weight]));
  const all = new Map(unused);
  return {
    of(name) {
      unused.delete(name);
      const weight = all.get(name);
      if (weight === undefined) throw new Error(`There is no weight ${name}`);
      return weight;
    },
    finish() {
      if (unused.size > 0) throw new Error(`Weights that are not used: ${[...unused.keys()]}`);
    },
  };
}

type Kernels = (name: string) => SlowWeight;

/** What a block makes; the last block makes no vertical stack. */
interface SlowStacks {
  vertical: Grid | null;
  horizontal: Grid;
  skip: Grid | null;
}

/** A block, by the names of its layers: its two stacks, and the skip output where it has one. */
export function slowBlock(
  [vertical, horizontal]: readonly [Grid, Grid],
  conditions: readonly SlowCondition[],
  weight: Kernels,
  args: Order & { maskType: 'A' | 'B'; hasSkip?: boolean; isLast?: boolean },
): SlowStacks {
  const { maskType, hasSkip = false, isLast = false } = args;
  const all: Sees = () => true;
  const masked = (name: string, x: Grid, type: 'A' | 'B') => {
    const kernel = weight(`${name}/kernel`);
    return convolve(x, kernel, seesEarlier(type, args, kernel), weight(`${name}/bias`));
  };
  const gated = (name: string, x: Grid) => {
    const terms = conditions.map((condition, i) => {
      const kernel = weight(`${name}/condition${i === 0 ? '' : i + 1}_kernel`);
      return convolve(spread(condition, x), kernel, all);
    });
    return gate(terms.reduce(add, x), args);
  };
  const v = convolve(vertical, weight('vertical/kernel'), seesRows(maskType), weight('vertical/bias'));
  const h = add(masked('horizontal', horizontal, maskType), convolve(v, weight('across/kernel'), all));
  const gatedH = gated('horizontal_gate', h);
  const y = masked('out', gatedH, 'B');
  return {
    vertical: isLast ? null : gated('vertical_gate', v),
    horizontal: maskType === 'A' ? y : add(horizontal, y),
    skip: hasSkip ? masked('skip', gatedH, 'B') : null,
  };
}

/** The whole network, with weights by their names: logits [H][W][C][L], all in a row; [H][W][L][C] where channels come in turn. */
export function slowGated(
  image: Grid,
  conditions: readonly SlowCondition[],
  weights: readonly SlowWeight[],
  { numBlocks, ...order }: Order & { numBlocks: number },
): number[] {
  const { of, finish } = weightsByName(weights);
  let [vertical, horizontal]: [Grid, Grid] = [image, image];
  for (let index = 0; index <= numBlocks; index++) {
    const args = { ...order, maskType: index === 0 ? 'A' : 'B', isLast: index === numBlocks } as const;
    const stacks = slowBlock([vertical, horizontal], conditions, (name) => of(`block${index}_${name}`), args);
    horizontal = stacks.horizontal;
    vertical = stacks.vertical ?? vertical;
  }
  const conv = (name: string, x: Grid) => {
    const kernel = of(`${name}/kernel`);
    return convolve(x, kernel, seesEarlier('B', order, kernel), of(`${name}/bias`));
  };
  const features = relu(conv('output_conv1', relu(horizontal)));
  const logits = conv('final_conv', conv('output_conv2', features)); // [H][W][C*L]
  finish();
  return logits.flat(2);
}

/** Values in a row as [H][W][F]. */
export function grid(values: ArrayLike<number>, [h, w, f]: readonly [number, number, number]): Grid {
  const all = Array.from(values);
  const pixel = (index: number) => all.slice(index * f, (index + 1) * f);
  return Array.from({ length: h }, (_, r) => Array.from({ length: w }, (_, c) => pixel(r * w + c)));
}

/** Gives a model, or a layer that is built, weights in [-scale, scale), and returns them. */
export function setSlowNoise(of: tfl.LayersModel | tfl.layers.Layer, seed: number, scale = 1): SlowWeight[] {
  const weights = of.weights.map(({ originalName: name, shape }, i) => {
    const own = shape as number[];
    return { name, shape: own, data: noise(tf.util.sizeFromShape(own), 7919 * (seed + i)).map((value) => scale * value) };
  });
  const tensors = weights.map(({ shape, data }) => tf.tensor(data, shape));
  of.setWeights(tensors);
  tf.dispose(tensors);
  return weights;
}
