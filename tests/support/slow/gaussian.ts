import type { GaussianSizes } from '../../../src/ops/gaussian';

/** log of the standard Gaussian's mass from `near` to `far`, above -near: by Simpson's rule, in units of its density at `near`. */
function logMass(near: number, far: number): number {
  const start = Math.max(near, -12);
  const peak = Math.max(start, 0);
  const end = Math.min(far, start < 0 ? 12 : start + Math.min(12, 45 / start)); // where it has fallen by e^-40
  const steps = 4000;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const z = start - peak + (i * (end - start)) / steps;
    const weight = i % steps === 0 ? 1 : i % 2 === 0 ? 2 : 4;
    sum += weight * Math.exp(-z * (z / 2 + peak));
  }
  return Math.log((sum * (end - start)) / steps / 3) - peak ** 2 / 2 - Math.log(2 * Math.PI) / 2;
}

/** Nats of labels [M,C] under discretized Gaussians [M,2C], in plain numbers (float64). */
export const slowGaussian = (labels: readonly number[], parameters: readonly number[], { levels, offset }: GaussianSizes): number[] =>
  labels.map((label, i) => {
    const scale = Math.exp(Math.max(parameters[2 * i + 1] as number, -3));
    const value = label - offset - (parameters[2 * i] as number);
    const below = label === 0 ? -Infinity : (value - 0.5) / scale;
    const above = label === levels - 1 ? Infinity : (value + 0.5) / scale;
    return -(above + below < 0 ? logMass(-above, -below) : logMass(below, above));
  });
