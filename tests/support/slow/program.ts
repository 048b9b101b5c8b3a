import { type KernelWindow, maskOf } from '../../../src/runtime/core/window';
import type { CombinationName, PointwiseName } from '../../../src/runtime/program/operations/pointwise';
import type { PortableModel, ProgramNode } from '../../../src/runtime/program/program';
import { slowAttention } from './attention';
import { slowLSTM } from './lstm';

/** The features of a node at each place that it has, row by row: [height,width,features]. */
export interface SlowMap {
  readonly height: number;
  readonly width: number;
  readonly features: number;
  readonly values: Float64Array;
  /** Whether its one place stands for all. */
  readonly isConstant: boolean;
}

/** What an image is, and what it is conditioned on. */
interface SlowInputs {
  /** Normalized. */
  readonly image: SlowMap;
  readonly conditions?: readonly SlowMap[];
}

/** A map of numbers that a function gives. */
export function slowMap(
  [height, width, features]: readonly [number, number, number],
  of: (row: number, column: number, feature: number) => number,
  isConstant = false,
): SlowMap {
  const values = new Float64Array(height * width * features);
  for (let i = 0; i < values.length; i++) {
    const pixel = Math.floor(i / features);
    values[i] = of(Math.floor(pixel / width), pixel % width, i % features);
  }
  return { height, width, features, values, isConstant };
}

/** A value; 0 around the map. */
export function valueAt(map: SlowMap, row: number, column: number, feature: number): number {
  const { height, width, features, values, isConstant } = map;
  if (isConstant) return values[feature] as number;
  if (row < 0 || row >= height || column < 0 || column >= width) return 0;
  return values[(row * width + column) * features + feature] as number;
}

/**
 * Every node of a program on the whole image at once, by its definition, in float64: no clock, no caches. Convolutions are
 * plain loops over maps with zeros around; a strided one is every second place of the same at stride 1, and a transposed
 * one scatters.
 */
export function slowly({ nodes, weights }: Pick<PortableModel, 'nodes' | 'weights'>, inputs: SlowInputs): SlowMap[] {
  const numbers = (name: string) => weights.get(name)?.data as Float32Array;
  const maps: SlowMap[] = [];
  for (const node of nodes) maps.push(slowNode(node, maps, inputs, numbers));
  return maps;
}

function slowNode(
  node: ProgramNode,
  maps: readonly SlowMap[],
  { image, conditions = [] }: SlowInputs,
  numbers: (name: string) => Float32Array,
): SlowMap {
  if (node.op === 'image') return image;
  if (node.op === 'condition') return conditions[node.index] as SlowMap;
  const operands = ('inputs' in node ? node.inputs : [node.input]).map((index) => maps[index] as SlowMap);
  const x = operands[0] as SlowMap;
  const like = operands.find((map) => !map.isConstant) ?? x;
  const each = (of: (row: number, column: number, f: number) => number) =>
    slowMap([like.height, like.width, node.size], of, like.isConstant);
  /** A function of all features of a pixel. */
  const ofPixel = (of: (features: number[], f: number) => number) =>
    each((row, column, f) => {
      const features = Array.from({ length: x.features }, (_, i) => valueAt(x, row, column, i));
      return of(features, f);
    });
  switch (node.op) {
    case 'conv': {
      const bias = node.bias === null ? null : numbers(node.bias);
      return slowConv(node.window, numbers(node.kernel), bias, x, node.size);
    }
    case 'shift':
      return each((row, column, f) => valueAt(x, row - node.rows, column - node.columns, f));
    case 'upsample': {
      const { rows, columns, size, spread } = node;
      return slowMap([x.height * rows, x.width * columns, size], (row, column, f) => {
        const feature = spread ? f + size * ((row % rows) * columns + (column % columns)) : f;
        return valueAt(x, Math.floor(row / rows), Math.floor(column / columns), feature);
      });
    }
    case 'position':
      return each((row, column, f) => (f === 0 ? row / x.height : column / x.width) - 0.5);
    case 'attend': {
      const [queries, keys, values] = operands as [SlowMap, SlowMap, SlowMap];
      const { heads, own = false, size } = node;
      const sizes = { n: 1, places: x.height * x.width, heads, size: keys.features / heads, valueSize: size / heads, own };
      const attended = slowAttention([queries.values, keys.values, values.values], sizes);
      return each((row, column, f) => attended[(row * x.width + column) * size + f] as number);
    }
    case 'lstm': {
      const { height: h, width: w } = x;
      const { size, groups, path, kernelSize } = node;
      const columns = kernelSize[0] * kernelSize[1];
      const sizes = { n: 1, h, w, groups, size: size / groups, columns, path };
      const states = slowLSTM(x.values, numbers(node.kernel), sizes);
      return each((row, column, f) => states[(row * w + column) * size + f] as number);
    }
    case 'concat':
      return each((row, column, f) => {
        let first = 0;
        for (const map of operands) {
          if (f < first + map.features) return valueAt(map, row, column, f - first);
          first += map.features;
        }
        throw new Error('no such feature');
      });
    case 'slice':
      return ofPixel((all, f) => all[node.start + f] as number);
    case 'add':
    case 'multiply':
    case 'maximum':
    case 'minimum':
      return each((row, column, f) => operands.map((map) => valueAt(map, row, column, f)).reduce((a, b) => combinations[node.op](a, b)));
    case 'pointwise':
      return ofPixel((all, f) => functions[node.fn](all[f] as number, node.parameter));
    case 'affine': {
      const [scale, shift] = [numbers(node.scale), numbers(node.shift)];
      return ofPixel((all, f) => (scale[f] as number) * (all[f] as number) + (shift[f] as number));
    }
    case 'concatElu':
      return ofPixel((all, f) => elu(f < all.length ? (all[f] as number) : -(all[f - all.length] as number)));
    case 'gate':
    case 'glu':
      return ofPixel((all, f) => {
        const group = node.size / node.groups;
        const a = f + Math.floor(f / group) * group;
        const first = all[a] as number;
        return (node.op === 'gate' ? Math.tanh(first) : first) / (1 + Math.exp(-(all[a + group] as number)));
      });
    case 'normalize':
    case 'rms': {
      const [scale, shift] = [numbers(node.scale), numbers(node.shift)];
      return ofPixel((all, f) => {
        const group = groupOf(all, f, node.groups);
        const mean = node.op === 'rms' ? 0 : group.reduce((sum, value) => sum + value, 0) / group.length;
        const variance = group.reduce((sum, value) => sum + (value - mean) ** 2, 0) / group.length;
        const normal = ((all[f] as number) - mean) / Math.sqrt(variance + node.epsilon);
        return normal * (scale[f] as number) + (shift[f] as number);
      });
    }
    case 'softmax':
    case 'logSoftmax':
      return ofPixel((all, f) => {
        const group = groupOf(all, f, node.groups);
        const log = (all[f] as number) - Math.log(group.reduce((sum, value) => sum + Math.exp(value), 0));
        return node.op === 'softmax' ? Math.exp(log) : log;
      });
    case 'oneHot':
      return ofPixel((all, f) => (all[0] === f ? 1 : 0));
    case 'oneHotLevels':
      return ofPixel((all, f) => {
        const level = levelOf(all[Math.floor(f / node.levels)] as number, node.levels);
        return level === f % node.levels ? 1 : 0;
      });
    case 'rasterShift':
      return each((row, column, f) => {
        const previous = row * x.width + column - 1;
        if (previous < 0) return numbers(node.start)[f] as number;
        return valueAt(x, Math.floor(previous / x.width), previous % x.width, f);
      });
    case 'embedPlaces':
      return each((row, column, f) => {
        const ofPlace = numbers(node.table)[(row * x.width + column) * node.size + f] as number;
        return valueAt(x, row, column, f) + ofPlace;
      });
    case 'embedLevels': {
      const table = numbers(node.table); // [levels, units]
      const units = node.size / x.features;
      return ofPixel((all, f) => {
        const level = levelOf(all[Math.floor(f / units)] as number, table.length / units);
        return table[level * units + (f % units)] ?? 0;
      });
    }
  }
}

/** Those among all features of a pixel that are in the group of feature f. */
const groupOf = (all: readonly number[], f: number, groups: number) => {
  const size = all.length / groups;
  const first = Math.floor(f / size) * size;
  return all.slice(first, first + size);
};

const levelOf = (x: number, levels: number) => Math.floor(x * (levels - 1) + 0.5);

const elu = (x: number) => (x > 0 ? x : Math.expm1(x));
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Elementwise operations by their definition. */
export const combinations: Readonly<Record<CombinationName, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  multiply: (a, b) => a * b,
  maximum: Math.max,
  minimum: Math.min,
};

/** Functions of one number by their definition. */
export const functions: Readonly<Record<PointwiseName, (x: number, parameter: number) => number>> = {
  relu: (x) => Math.max(x, 0),
  sigmoid,
  tanh: Math.tanh,
  elu: (x, alpha) => (x > 0 ? x : alpha * Math.expm1(x)),
  selu: (x) => 1.05070098735548 * (x > 0 ? x : 1.67326324235438 * Math.expm1(x)),
  leakyRelu: (x, alpha) => (x > 0 ? x : alpha * x),
  thresholdedRelu: (x, theta) => (x > theta ? x : 0),
  clippedRelu: (x, greatest) => (x > 0 ? Math.min(x, greatest) : 0),
  hardSigmoid: (x) => (x < -2.5 ? 0 : x > 2.5 ? 1 : 0.2 * x + 0.5),
  softplus,
  softsign: (x) => x / (1 + Math.abs(x)),
  swish: (x) => x * sigmoid(x),
  gelu: (x) => x * normalDistribution(x),
  geluNew: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  quickGelu: (x) => x * sigmoid(1.702 * x),
  log: (x, least) => Math.log(Math.max(x, least)),
  mish: (x) => x * Math.tanh(softplus(x)),
  scale: (x, factor) => x * factor,
  shift: (x, added) => x + added,
};

/** By the series of erf, to 9 digits. */
function normalDistribution(x: number): number {
  if (Math.abs(x) > 6) return x < 0 ? 0 : 1;
  let [term, sum] = [x, x];
  for (let n = 1; n < 150; n++) {
    term *= (-x * x) / (2 * n);
    sum += term / (2 * n + 1);
  }
  return 0.5 + sum / Math.sqrt(2 * Math.PI);
}

function slowConv(window: KernelWindow, kernel: Float32Array, bias: Float32Array | null, x: SlowMap, features: number): SlowMap {
  const { kernelSize, anchor, stride, transposed, dilation: [down, across] = [1, 1] } = window; // biome-ignore format: one line
  const [rows, columns] = kernelSize;
  const { imageChannels: channels, groups = 1 } = window;
  const seen = x.features / groups; // of each output
  const mask = maskOf(window, seen, features);
  const weight = (r: number, c: number, i: number, o: number) => {
    const index = ((r * columns + c) * seen + i) * features + o;
    return (mask[index] as number) * (kernel[index] as number);
  };
  /** The feature that an output has as its input i: of its own group, in each channel. */
  const featureOf = (i: number, o: number) => {
    const group = Math.floor((o % (features / channels)) / (features / channels / groups));
    const channel = Math.floor(i / (seen / channels));
    return (channel * groups + group) * (seen / channels) + (i % (seen / channels));
  };
  const eachTap = (act: (r: number, c: number, i: number) => void) => {
    for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) for (let i = 0; i < seen; i++) act(r, c, i);
  };
  if (!transposed) {
    const sum = (row: number, column: number, o: number) => {
      let total = bias?.[o] ?? 0;
      eachTap((r, c, i) => {
        total += valueAt(x, row + (r - anchor[0]) * down, column + (c - anchor[1]) * across, featureOf(i, o)) * weight(r, c, i, o);
      });
      return total;
    };
    const whole = slowMap([x.height, x.width, features], sum, x.isConstant);
    return slowMap(
      [x.height / stride, x.width / stride, features],
      (row, column, o) => valueAt(whole, row * stride, column * stride, o),
      x.isConstant,
    );
  }
  const y = slowMap([x.height * stride, x.width * stride, features], (_, __, o) => bias?.[o] ?? 0);
  for (let row = 0; row < x.height; row++) {
    for (let column = 0; column < x.width; column++) {
      eachTap((r, c, i) => {
        const [to, at] = [row * stride + r - anchor[0], column * stride + c - anchor[1]];
        if (to < 0 || to >= y.height || at < 0 || at >= y.width) return;
        for (let o = 0; o < features; o++) {
          const index = (to * y.width + at) * features + o;
          y.values[index] = (y.values[index] as number) + valueAt(x, row, column, featureOf(i, o)) * weight(r, c, i, o);
        }
      });
    }
  }
  return y;
}
