import type { layers } from '@tensorflow/tfjs-layers';
import { checkKernelSize, sizeFromShape, throwTypeError } from '../runtime/core/check';
import { shiftedWindow } from '../runtime/core/declared-window';
import { pointWindow } from '../runtime/core/window';
import type { Ops } from '../runtime/program/operations';
import { softmaxNames } from '../runtime/program/operations/normalize';
import {
  type CombinationName,
  defaultParameters,
  type PointwiseName,
  pointwiseNames,
} from '../runtime/program/operations/pointwise';
import type { LayerWeight } from '../runtime/program/weights';
import type { Shape } from './types';

/** The arithmetic of a tfjs layer, in the form of `express`. */
type Express = <T>(ops: Ops<T>, inputs: readonly [T, ...T[]]) => T;

/** A layer, its config, and the shapes of its inputs. */
interface StockLayer {
  readonly layer: layers.Layer;
  readonly config: Readonly<Record<string, unknown>>;
  readonly shapes: readonly Shape[];
}

/**
 * The arithmetic of a layer of tfjs-layers that acts on each pixel separately; null for layers that
 * are not supported. Inputs are [N,H,W,F], [N,H,W,C,L] if levels have their own axis, or [N,F].
 *
 * @throws TypeError naming a setting with which a supported layer would not act on each pixel separately
 */
export function stockLayer(layer: layers.Layer, shapes: readonly Shape[]): Express | null {
  const config = layer.getConfig() as Record<string, unknown>;
  return stock[layer.getClassName()]?.({ layer, config, shapes }) ?? null;
}

/**
 * An activation by the name of its class, null if tfjs has none. Softmax runs over each group of features.
 */
export function activationOf(name: string, groups = 1): (<T>(ops: Ops<T>, x: T) => T) | null {
  const camel = name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  if (camel === 'linear') return (_, x) => x;
  if (camel === 'relu6') return (ops, x) => ops.pointwise('clippedRelu', x, 6);
  const softmax = softmaxNames.find((fn) => fn === camel);
  if (softmax !== undefined) return (ops, x) => ops.softmax(softmax, x, groups);
  const known = pointwiseNames.find((fn) => fn === camel && defaultParameters[fn] !== undefined);
  return known === undefined ? null : (ops, x) => ops.pointwise(known, x);
}

const stock: Readonly<Record<string, (layer: StockLayer) => Express | null>> = {
  Activation: ({ config, shapes }) => {
    const fn = activationOf(String(config['activation']), groupsOf(shapes[0]));
    return fn && ((ops, [x]) => fn(ops, x));
  },
  ReLU: ({ config: { maxValue } }) =>
    typeof maxValue === 'number' ? pointwise('clippedRelu', maxValue) : pointwise('relu'),
  LeakyReLU: ({ config }) => pointwise('leakyRelu', config['alpha']),
  PReLU: prelu,
  ELU: ({ config }) => pointwise('elu', config['alpha']),
  ThresholdedReLU: ({ config }) => pointwise('thresholdedRelu', config['theta']),
  Softmax: ({ config, shapes }) => {
    checkAxis(config['axis'], shapes[0], -1, 'the last');
    return (ops, [x]) => ops.softmax('softmax', x, groupsOf(shapes[0]));
  },
  Add: ({ shapes }) => combined('add', shapes),
  Multiply: ({ shapes }) => combined('multiply', shapes),
  Maximum: ({ shapes }) => combined('maximum', shapes),
  Minimum: ({ shapes }) => combined('minimum', shapes),
  Average: ({ shapes }) => {
    const sum = combined('add', shapes);
    return (ops, inputs) => ops.pointwise('scale', sum(ops, inputs), 1 / inputs.length);
  },
  Concatenate: ({ config, shapes }) => {
    // whole channels, if levels have their own axis
    if (shapes[0]?.length === 5) checkAxis(config['axis'], shapes[0], -2, 'the axis of channels');
    else checkAxis(config['axis'], shapes[0], -1, 'the axis of features');
    return (ops, inputs) => ops.concat(...inputs); // [N,H,W,F], [N,H,W,G] -> [N,H,W,F+G]
  },
  Dense: ({ layer, config, shapes }) => product(layer.weights, config['activation'], shapes),
  Conv2D: ({ layer, config, shapes }) => {
    const { kernelSize, strides, dataFormat, activation } = config;
    if (String(strides) !== '1,1') throwTypeError('strides', '1', strides);
    if (dataFormat === 'channelsFirst') throwTypeError('dataFormat', "'channelsLast'", dataFormat);
    if (String(kernelSize) === '1,1') return product(layer.weights, activation, shapes);
    if (config['padding'] !== 'same') throwTypeError('padding', "'same'", config['padding']);
    const [rows, columns] = [config['dilationRate']].flat() as number[];
    checkKernelSize('kernelSize', kernelSize);
    const dilationRate = [rows, columns ?? rows] as [number, number];
    const around = shiftedWindow('', {
      kernelSize: kernelSize as [number, number],
      shift: 'same',
      dilationRate,
    });
    return product(layer.weights, activation, shapes, around); // only for conditions, since it would see later pixels of the image
  },
  UpSampling2D: ({ config: { size, interpolation, dataFormat } }) => {
    if (dataFormat === 'channelsFirst') throwTypeError('dataFormat', "'channelsLast'", dataFormat);
    if (interpolation !== 'nearest') throwTypeError('interpolation', "'nearest'", interpolation);
    const [rows, columns] = size as [number, number];
    return (ops, [x]) => ops.upsample(x, rows, columns); // [N,H,W,F] -> [N,rows*H,columns*W,F]
  },
  BatchNormalization: normalization,
  LayerNormalization: normalization,
  Rescaling: ({ config: { scale, offset } }) => {
    return (ops, [x]) => ops.pointwise('shift', ops.pointwise('scale', x, scale as number), offset as number);
  },
  Reshape: reshape,
  Dropout: asItIs,
  SpatialDropout1D: asItIs,
  GaussianDropout: asItIs,
  GaussianNoise: asItIs,
  AlphaDropout: asItIs,
};

const pointwise =
  (fn: PointwiseName, parameter?: unknown): Express =>
  (ops, [x]) =>
    ops.pointwise(fn, x, parameter as number | undefined);

/** The identity, for layers that do nothing at inference. */
function asItIs(): Express {
  return (_, [x]) => x;
}

/** F of [N,H,W,F] or [N,F], C*L of [N,H,W,C,L]; 0 if unknown. */
export const featuresOf = (shape: Shape): number => sizeFromShape(shape.slice(shape.length === 2 ? 1 : 3));

/** C of [N,H,W,C,L], else 1. */
const groupsOf = (shape: Shape = []) => (shape.length === 5 ? (shape[3] as number) : 1);

/** Checks that an axis is the wanted one, counted from the end. */
function checkAxis(axis: unknown, { length }: Shape = [], wanted: number, name: string): void {
  const [one, ...others] = [axis].flat();
  if ((one !== wanted && one !== length + wanted) || others.length > 0) {
    throwTypeError('axis', `${name}, ${wanted} or ${length + wanted}`, axis);
  }
}

/** Checks that levels do not have their own axis. */
function checkFlat(shape: Shape = []): void {
  if (shape.length === 5) throwTypeError('input', '[N,H,W,F] or [N,F]', shape);
}

/** An elementwise combination. An input with a single feature is broadcast, as in tfjs. */
function combined(fn: CombinationName, shapes: readonly Shape[]): Express {
  const sizes = shapes.map(featuresOf);
  const most = Math.max(...sizes);
  const isFlat = shapes.every(({ length }) => length < 5);
  const isOneShape = new Set(shapes.map(String)).size === 1;
  if (!isOneShape && !(isFlat && sizes.every((size) => size === 1 || size === most))) {
    throwTypeError('inputs', 'equal numbers of features, or one feature', shapes);
  }
  return (ops, inputs) => {
    const widened = inputs.map(
      (x, i) => (sizes[i] === most ? x : ops.concat(...new Array<typeof x>(most).fill(x))), // [N,H,W,1] -> [N,H,W,F]
    );
    return ops.combine(fn, ...widened);
  };
}

/** max(x, 0) + alpha min(x, 0) */
function prelu({ layer, shapes: [shape = []] }: StockLayer): Express {
  const alpha = layer.weights[0] as LayerWeight;
  const places = sizeFromShape(alpha.shape.slice(0, shape.length === 2 ? 0 : 2));
  const size = sizeFromShape(alpha.shape);
  if (places !== 1 || (size !== 1 && size !== featuresOf(shape))) {
    throwTypeError('alpha', 'one that all places share (sharedAxes: [1, 2])', alpha.shape);
  }
  return (ops, [x]) => {
    const negated = ops.pointwise('relu', ops.pointwise('scale', x, -1));
    const below = ops.affine(ops.pointwise('scale', negated, -1), { scale: alpha });
    return ops.combine('add', ops.pointwise('relu', x), below);
  };
}

/** A product at each pixel, over all features of the pixel or of a window. */
function product(
  [kernel, bias]: readonly LayerWeight[],
  activationName: unknown,
  [shape]: readonly Shape[],
  window = pointWindow,
): Express | null {
  checkFlat(shape);
  const fn = activationOf(String(activationName));
  if (fn === null) return null;
  // [N,H,W,in] -> [N,H,W,out], by a kernel [in,out] or [rows,columns,in,out] and a bias [out]
  return (ops, [x]) => fn(ops, ops.conv(x, kernel as LayerWeight, bias ?? null, window));
}

/** Normalization by given moments, or by each pixel's. The first weights are gamma and beta, if used. */
function normalization({ layer, config, shapes }: StockLayer): Express {
  checkFlat(shapes[0]);
  checkAxis(config['axis'], shapes[0], -1, 'the axis of features');
  const rest: LayerWeight[] = [...layer.weights];
  const next = () => rest.shift() as LayerWeight;
  const args = {
    epsilon: config['epsilon'] as number,
    ...(config['scale'] === true && { scale: next() }),
    ...(config['center'] === true && { shift: next() }),
  };
  const [mean, variance] = rest;
  if (mean === undefined || variance === undefined) return (ops, [x]) => ops.normalize(x, args);
  return (ops, [x]) => ops.standardize(x, { mean, variance, ...args });
}

/** Reshapes features to logits, for reshapes that keep every pixel in its place. */
function reshape({ layer, shapes: [shape = []] }: StockLayer): Express {
  const target = layer.computeOutputShape(shape) as Shape;
  const [, height, width, channels, levels] = target as [null, number, number, number, number];
  const isInPlace = height === shape[1] && width === shape[2];
  if (shape.length !== 4 || target.length !== 5 || !isInPlace) {
    throwTypeError('targetShape', '[H, W, C, L] of [N,H,W,C*L]', target.slice(1));
  }
  return (ops, [x]) => ops.perChannel(x, channels, levels); // [N,H,W,C*L] -> [N,H,W,C,L]
}
