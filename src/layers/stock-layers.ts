import type { layers } from '@tensorflow/tfjs-layers';
import { windowAround } from '../core/window';
import type { Ops } from '../program/ops';
import { type PointwiseName, pointwiseNames } from '../program/program';
import type { Shape } from './types';

/** The arithmetic of a layer of tfjs-layers, as `express` has it. */
export type Express = <T>(ops: Ops<T>, inputs: readonly T[]) => T;

/** A layer's config, and the shapes of its inputs. */
interface StockLayer {
  readonly config: Readonly<Record<string, unknown>>;
  readonly weights: layers.Layer['weights'];
  readonly shapes: readonly Shape[];
}

/**
 * The arithmetic of a layer of tfjs-layers that acts on each pixel by itself; null where it is none of those
 * covered. Inputs are [N,H,W,F], or [N,H,W,C,L] where levels have an axis of their own, or [N,F].
 */
export function stockLayer(layer: layers.Layer, shapes: readonly Shape[]): Express | null {
  const config = layer.getConfig() as Record<string, unknown>;
  return stock[layer.getClassName()]?.({ config, weights: layer.weights, shapes }) ?? null;
}

/** An activation by the name of its class, or null where it mixes features, as softmax does. */
export function activation(name: string): (<T>(ops: Ops<T>, x: T) => T) | null {
  const camel = name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  if (camel === 'linear') return (_, x) => x;
  if (camel === 'relu6') return (ops, x) => ops.pointwise('clippedRelu', x, 6);
  if (camel === 'elu') return (ops, x) => ops.pointwise('elu', x, 1);
  const known = pointwiseNames.find((fn) => fn === camel && !takesParameter.has(fn));
  return known === undefined ? null : (ops, x) => ops.pointwise(known, x);
}

const takesParameter: ReadonlySet<PointwiseName> = new Set(['leakyRelu', 'thresholdedRelu', 'clippedRelu']);

const pointwise =
  (fn: PointwiseName, parameter?: unknown): Express =>
  (ops, [x]) =>
    ops.pointwise(fn, x as never, parameter as number | undefined);

const combined = (fn: 'add' | 'multiply' | 'maximum' | 'minimum', { shapes }: StockLayer): Express | null =>
  haveSameFeatures(shapes) ? (ops, inputs) => ops.combine(fn, ...inputs) : null;

/** Nothing, at inference. */
const asItIs = (): Express => (_, inputs) => inputs[0] as (typeof inputs)[number];

const stock: Readonly<Record<string, (layer: StockLayer) => Express | null>> = {
  Activation: ({ config }) => {
    const fn = activation(String(config['activation']));
    return fn && ((ops, [x]) => fn(ops, x as never));
  },
  ReLU: ({ config: { maxValue } }) =>
    typeof maxValue === 'number' ? pointwise('clippedRelu', maxValue) : pointwise('relu'),
  LeakyReLU: ({ config }) => pointwise('leakyRelu', config['alpha']),
  ELU: ({ config }) => pointwise('elu', config['alpha']),
  ThresholdedReLU: ({ config }) => pointwise('thresholdedRelu', config['theta']),
  Add: (layer) => combined('add', layer),
  Multiply: (layer) => combined('multiply', layer),
  Maximum: (layer) => combined('maximum', layer),
  Minimum: (layer) => combined('minimum', layer),
  Concatenate: ({ config, shapes }) =>
    isFeatureAxis(config['axis'], shapes) ? (ops, inputs) => ops.concat(...inputs) : null,
  Dense: dense,
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  Dropout: asItIs,
  SpatialDropout1D: asItIs,
  GaussianDropout: asItIs,
  GaussianNoise: asItIs,
  AlphaDropout: asItIs,
};

/** Whether inputs have the same features [F] or [C,L]; tfjs would broadcast those of size 1. */
const haveSameFeatures = (shapes: readonly Shape[]) =>
  new Set(shapes.map((shape) => String(shape.slice(shape.length === 2 ? 1 : 3)))).size === 1;

/** Whether an axis is that of features; with an axis of levels there is none. */
function isFeatureAxis(axis: unknown, shapes: readonly Shape[]): boolean {
  const rank = shapes[0]?.length ?? 0;
  return rank !== 5 && (axis === -1 || axis === rank - 1);
}

/** At each pixel a product, which sees all features of it. */
function dense({ config, weights: [kernel, bias], shapes }: StockLayer): Express | null {
  const fn = activation(String(config['activation']));
  if (kernel === undefined || fn === null || shapes[0]?.length === 5) return null;
  const window = windowAround([1, 1], 'B', 1);
  return (ops, [x]) => fn(ops, ops.conv(x as never, kernel, bias ?? null, window)); // kernel [in,out], bias [out]
}

/** Gamma and beta where they are used, and the weights that follow. */
function scaleAndShift({ config: { scale, center }, weights }: StockLayer) {
  const rest = [...weights];
  return { scale: scale ? rest.shift() : undefined, shift: center ? rest.shift() : undefined, rest };
}

function batchNormalization(layer: StockLayer): Express | null {
  const { scale, shift, rest } = scaleAndShift(layer);
  const [mean, variance] = rest;
  if (!isFeatureAxis(layer.config['axis'], layer.shapes) || !mean || !variance) return null;
  const args = { mean, variance, epsilon: layer.config['epsilon'] as number, scale, shift };
  return (ops, [x]) => ops.standardize(x as never, args);
}

/** Of each pixel by itself, where it runs over the features alone. */
function layerNormalization(layer: StockLayer): Express | null {
  const axes = [layer.config['axis']].flat();
  if (!axes.every((axis) => isFeatureAxis(axis, layer.shapes))) return null;
  const { scale, shift } = scaleAndShift(layer);
  return (ops, [x]) =>
    ops.normalize(x as never, { epsilon: layer.config['epsilon'] as number, scale, shift });
}
