import type * as tfl from '@tensorflow/tfjs-layers';
import { add, type Grid, map, type SlowCondition, type SlowWeight, setSlowNoise } from './gated';

// The pieces of PixelCNN++ in plain numbers (float64), by the paper's code and with none of this library's: what layers must equal.

/** Where a convolution looks: around the current column, up to the current pixel, before it, or on all sides of it. */
export interface SlowShift {
  shift: 'down' | 'downRight' | 'excludesCentre' | 'same';
  stride?: 1 | 2;
  transposed?: boolean;
}

/**
 * A convolution over zeros around the image, whose last row lies on the current one. Strided, it is that at every second
 * place; transposed, every place of x adds the kernel at `stride` times its place, and what is left over is cut off below
 * and to the right, and of a down-shifted one to the left.
 */
function slowShifted(
  x: Grid,
  kernel: SlowWeight,
  bias: ArrayLike<number> | undefined,
  { shift, stride = 1, transposed = false }: SlowShift,
): Grid {
  const [rows, columns, featuresIn, featuresOut] = kernel.shape as [number, number, number, number];
  const [h, w] = [x.length, x[0]?.length ?? 0];
  const [height, width] = transposed ? [h * stride, w * stride] : [h / stride, w / stride];
  const middle = Math.floor((columns - 1) / 2);
  const y = Array.from({ length: height }, () =>
    Array.from({ length: width }, () => Array.from({ length: featuresOut }, (_, to) => bias?.[to] ?? 0)),
  );
  const addTap = (from: readonly number[] | undefined, i: number, j: number, to: number[] | undefined) => {
    if (from === undefined || to === undefined) return;
    for (let a = 0; a < featuresIn; a++) {
      for (let b = 0; b < featuresOut; b++) {
        const tap = ((i * columns + j) * featuresIn + a) * featuresOut + b;
        to[b] = (to[b] as number) + (from[a] as number) * (kernel.data[tap] as number);
      }
    }
  };
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      if (transposed) {
        const left = shift === 'down' ? middle : 0;
        for (let r = 0; r < h; r++) for (let c = 0; c < w; c++) addTap(x[r]?.[c], i, j, y[stride * r + i]?.[stride * c + j - left]);
      } else {
        const left = shift === 'downRight' ? columns - 1 : middle;
        const up = shift === 'same' ? (rows - 1) / 2 : rows - 1;
        if (shift === 'excludesCentre' && i === rows - 1 && j >= middle) continue; // the current pixel, and what follows
        for (let r = 0; r < height; r++)
          for (let c = 0; c < width; c++) {
            const from = x[stride * r + i - up]?.[stride * c + j - left];
            addTap(from, i, j, y[r]?.[c]);
          }
      }
    }
  }
  return y;
}

/** gain V / ||V|| of each output by itself, over the weights that are seen; the kernel itself without a gain. */
export function slowNormalized(
  kernel: SlowWeight,
  gain: SlowWeight | undefined,
  isSeen: (index: number) => boolean = () => true,
): SlowWeight {
  if (gain === undefined) return kernel;
  const featuresOut = kernel.shape.at(-1) as number;
  const norms = new Array<number>(featuresOut).fill(0);
  for (const [i, value] of Array.from(kernel.data).entries())
    if (isSeen(i)) norms[i % featuresOut] = Math.hypot(norms[i % featuresOut] as number, value);
  const data = Array.from(kernel.data, (value, i) => {
    const to = i % featuresOut;
    return isSeen(i) ? (value * (gain.data[to] as number)) / (norms[to] as number) : 0;
  });
  return { ...kernel, data };
}

const elu = (x: number) => (x > 0 ? x : Math.exp(x) - 1);

const slowConcatElu = (x: Grid): Grid => map(x, (features) => [...features.map(elu), ...features.map((value) => elu(-value))]);

/** a sigmoid(b) of the two halves. */
const slowLinearGate = (x: Grid): Grid =>
  map(x, (features) => {
    const half = features.length / 2;
    return features.slice(0, half).map((a, f) => a / (1 + Math.exp(-(features[half + f] as number))));
  });

/** Weights by their names within a layer: 'kernel', 'conv_in_gain', ... */
export type SlowWeights = ReadonlyMap<string, SlowWeight>;

/** A convolution of a layer by the prefix of its weights' names. */
type SlowConvolve = (prefix: string, x: Grid, where: SlowShift) => Grid;

/** The convolutions of a layer, weight-normed where they have a gain; `see` is shown what comes out. */
export function slowConvolutions(weights: SlowWeights, see: (prefix: string, y: Grid) => void = () => {}): SlowConvolve {
  return (prefix, x, where) => {
    const given = weightOf(weights, `${prefix}kernel`);
    const [rows = 0, columns = 0, featuresIn = 0, featuresOut = 0] = given.shape;
    const firstHidden = ((rows - 1) * columns + Math.floor((columns - 1) / 2)) * featuresIn * featuresOut;
    const isSeen = (index: number) => where.shift !== 'excludesCentre' || index < firstHidden;
    const kernel = slowNormalized(given, weights.get(`${prefix}gain`), isSeen);
    const y = slowShifted(x, kernel, weights.get(`${prefix}bias`)?.data, where);
    see(prefix, y);
    return y;
  };
}

/** The gated residual block, of one image. */
export function slowResBlock(
  x: Grid,
  { skip = null, conditions = [] }: { skip?: Grid | null; conditions?: readonly SlowCondition[] },
  convolve: SlowConvolve,
  weights: SlowWeights,
  shift: SlowShift['shift'],
  activation: 'concatElu' | 'elu' = 'concatElu',
): Grid {
  const where = { shift };
  const point = { shift: 'downRight' } as const; // of 1x1 kernels
  const activate = activation === 'elu' ? (of: Grid) => map(of, (features) => features.map(elu)) : slowConcatElu;
  let y = convolve('conv_in_', activate(x), where);
  if (skip !== null) y = add(y, convolve('conv_skip_', activate(skip), point));
  let halves = convolve('conv_out_', activate(y), where);
  for (const [index, condition] of conditions.entries()) {
    const given = typeof condition[0] === 'number' ? map(x, () => [...(condition as number[])]) : (condition as Grid);
    const kernel = weightOf(weights, `condition${index === 0 ? '' : index + 1}_kernel`);
    halves = add(halves, slowShifted(given, kernel, undefined, point));
  }
  return add(x, slowLinearGate(halves));
}

function weightOf(weights: SlowWeights, name: string): SlowWeight {
  const weight = weights.get(name);
  if (weight === undefined) throw new Error(`There is no weight ${name} among ${[...weights.keys()]}`);
  return weight;
}

/** The weights of a layer that is built, by their names within it. */
export async function slowWeightsOf(layer: tfl.layers.Layer): Promise<Map<string, SlowWeight>> {
  const tensors = layer.getWeights();
  const data = await Promise.all(tensors.map((tensor) => tensor.data()));
  const named = layer.weights.map(({ originalName }, i): [string, SlowWeight] => [
    originalName.split('/').at(-1) as string,
    { shape: tensors[i]?.shape ?? [], data: Array.from(data[i] as Float32Array) },
  ]);
  return new Map(named);
}

/** Gives a layer weights in [-1, 1), the same wherever it is made. */
export const setLayerNoise = (layer: tfl.layers.Layer, seed: number) => void setSlowNoise(layer, seed);

/** The slopes of a function of many numbers at a place, by differences of float64. */
export function slopesOf(fn: (values: readonly number[]) => number, at: ArrayLike<number>): number[] {
  const values = Array.from(at);
  const step = 1e-5;
  return values.map((value, i) => {
    const [above, below] = [value + step, value - step].map((moved) => fn(values.map((x, k) => (k === i ? moved : x))));
    return ((above as number) - (below as number)) / (2 * step);
  });
}
