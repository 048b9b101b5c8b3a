import type { LogisticMixtureSizes } from '../../../src/ops/logistic-mixture';
import { parameterOffsets } from '../../../src/runtime/distributions/mixture-parameters';

// The mixture of logistics of PixelCNN++ in plain numbers (float64), by its definition.

/** log(e^a + e^b + ...) */
function logSumExp(values: readonly number[]): number {
  const most = Math.max(...values);
  return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
}

const logCosh = (x: number) => Math.abs(x) + Math.log1p(Math.exp(-2 * Math.abs(x))) - Math.LN2;
const logSinh = (x: number) => x + Math.log(-Math.expm1(-2 * x)) - Math.LN2;
const logSigmoid = (x: number) => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)));

/** Log p of a level under one logistic: sigmoid(z + h) - sigmoid(z - h) is sinh h / (cosh z + cosh h). */
function logMass(level: number, levels: number, mean: number, logScale: number): number {
  const scale = Math.exp(Math.max(logScale, -7));
  const z = ((2 * level) / (levels - 1) - 1 - mean) / scale;
  const h = 1 / (levels - 1) / scale;
  if (level === 0) return logSigmoid(z + h);
  if (level === levels - 1) return logSigmoid(h - z);
  return logSinh(h) - logSumExp([logCosh(z), logCosh(h)]);
}

/** Nats of labels [M,C] under mixtures [M,P]. */
export function slowMixture(labels: readonly number[], parameters: readonly number[], sizes: LogisticMixtureSizes): number[] {
  const { imageChannels } = sizes;
  const rows = labels.length / imageChannels;
  const part = (of: readonly number[], row: number) => of.slice((row * of.length) / rows, ((row + 1) * of.length) / rows);
  return Array.from({ length: rows }, (_, row) => slowPixel(part(labels, row), part(parameters, row), sizes)).flat();
}

/** Nats of a pixel's channels. */
function slowPixel(labels: readonly number[], parameters: readonly number[], sizes: LogisticMixtureSizes): number[] {
  const { imageChannels, components, levels } = sizes;
  const offsets = parameterOffsets(sizes);
  const logProbs = [0]; // of the first channels together
  const sums = parameters.slice(0, components); // logit plus log-masses so far, of each component
  const norm = logSumExp(sums);
  for (let c = 0; c < imageChannels; c++) {
    for (let k = 0; k < components; k++) {
      const at = (offset: number | undefined) => parameters[(offset as number) + k] as number;
      let mean = at(offsets.means[c]);
      for (let e = 0; e < c; e++) mean += Math.tanh(at(offsets.coefficients[c]?.[e])) * ((2 * (labels[e] as number)) / (levels - 1) - 1);
      sums[k] = (sums[k] as number) + logMass(labels[c] as number, levels, mean, at(offsets.logScales[c]));
    }
    logProbs.push(logSumExp(sums) - norm);
  }
  return labels.map((_, c) => (logProbs[c] as number) - (logProbs[c + 1] as number));
}
