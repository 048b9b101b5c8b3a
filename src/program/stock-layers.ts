import type { layers } from '@tensorflow/tfjs-layers';
import { exp } from '../kernels/exp';
import { activation } from './activations';
import type { Features, Program } from './program';

/**
 * A layer of tfjs-layers that acts on each pixel by itself; null where it is none of those covered. `rank` is
 * that of its inputs: 4, or 5 where levels have an axis of their own, or 2 for vectors of which an image has
 * one.
 */
export function stockLayer(
  program: Program,
  layer: layers.Layer,
  inputs: readonly Features[],
  rank: number,
): Features | null {
  const [input] = inputs;
  if (input === undefined) return null;
  const config = layer.getConfig() as Record<string, unknown>;
  switch (layer.getClassName()) {
    case 'Activation':
      return activation(program, String(config['activation']), input);
    case 'ReLU': {
      const max = config['maxValue'];
      return typeof max === 'number'
        ? program.map(input, (x) => Math.min(max, Math.max(0, x)))
        : program.relu(input);
    }
    case 'LeakyReLU': {
      const alpha = config['alpha'] as number;
      return program.map(input, (x) => (x > 0 ? x : alpha * x));
    }
    case 'ELU': {
      const alpha = config['alpha'] as number;
      return program.map(input, (x) => (x > 0 ? x : alpha * (exp(x) - 1)));
    }
    case 'ThresholdedReLU': {
      const theta = config['theta'] as number;
      return program.map(input, (x) => (x > theta ? x : 0));
    }
    case 'Add':
      return haveOneSize(inputs) ? program.add(...inputs) : null;
    case 'Multiply':
      return haveOneSize(inputs) ? program.multiply(...inputs) : null;
    case 'Concatenate':
      return isFeatureAxis(config['axis'], rank) ? program.concat(...inputs) : null;
    case 'Dense':
      return rank === 5 ? null : dense(program, layer, input);
    case 'BatchNormalization':
      return batchNormalization(program, layer, input, rank);
    case 'LayerNormalization':
      return layerNormalization(program, layer, input, rank);
    case 'Dropout':
    case 'SpatialDropout1D':
    case 'GaussianDropout':
    case 'GaussianNoise':
    case 'AlphaDropout':
      return input; // nothing at inference
    default:
      return null;
  }
}

/** tfjs would broadcast features of size 1. */
const haveOneSize = (inputs: readonly Features[]) => inputs.every(({ size }) => size === inputs[0]?.size);

/** Whether an axis is that of features; with an axis of levels there is none. */
const isFeatureAxis = (axis: unknown, rank: number) => rank !== 5 && (axis === -1 || axis === rank - 1);

/** At each pixel a product, which sees all features of it. */
function dense(program: Program, layer: layers.Layer, input: Features): Features | null {
  const [kernel, bias] = layer.weights.map((weight) => weight.read()); // [in,out], [out]
  if (kernel === undefined) return null;
  const { activation: name } = layer.getConfig();
  const y = program.conv(input, { kernel, bias, maskType: 'B', imageChannels: 1 });
  return activation(program, String(name), y);
}

/** At inference an affine function of each feature: gamma (x - mean) / sqrt(variance + epsilon) + beta. */
function batchNormalization(
  program: Program,
  layer: layers.Layer,
  input: Features,
  rank: number,
): Features | null {
  const { axis, epsilon, scale, center } = layer.getConfig() as Record<string, unknown>;
  if (!isFeatureAxis(axis, rank)) return null;
  const weights = layer.weights.map((weight) => weight.read()); // gamma and beta where they are used, mean, variance
  return program.affine(input, {
    weights,
    numbers: (values) => {
      const rest = [...values];
      const gamma = scale ? (rest.shift() as number) : 1;
      const beta = center ? (rest.shift() as number) : 0;
      const [mean, variance] = rest as [number, number];
      const factor = gamma / Math.sqrt(variance + (epsilon as number));
      return [factor, beta - mean * factor];
    },
  });
}

/** Of each pixel by itself, where it runs over the features alone. */
function layerNormalization(
  program: Program,
  layer: layers.Layer,
  input: Features,
  rank: number,
): Features | null {
  const { axis, epsilon, scale, center } = layer.getConfig() as Record<string, unknown>;
  if (![axis].flat().every((one) => isFeatureAxis(one, rank))) return null;
  const weights = layer.weights.map((weight) => weight.read()); // gamma and beta where they are used
  const gamma = scale ? weights.shift() : undefined;
  const beta = center ? weights.shift() : undefined;
  return program.normalize(input, { gamma, beta, epsilon: epsilon as number });
}
