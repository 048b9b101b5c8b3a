import type { GaussianSizes } from '../../../src/ops/gaussian';

// Discretized Gaussians in plain numbers (float64), by quadrature.

const STEPS = 4000; // of Simpson's rule, over a mass that falls by e^-40 at least

/** log of the standard Gaussian's mass from `near` to `far`, above -near. */
function logMass(near: number, far: number): number {
  const start = Math.max(near, -12);
  const fall = Math.max(start, 0);
  const end = Math.min(far, start < 0 ? 12 : start + Math.min(12, 45 / start));
  const step = (end - start) / STEPS;
  let sum = 0;
  for (let i = 0; i <= STEPS; i++) {
    const z = i * step + start - fall; // from where the density counts as 1
    const weight = i === 0 || i === STEPS ? 1 : i % 2 === 0 ? 2 : 4;
    sum += weight * Math.exp(-z * (z / 2 + fall));
  }
  return Math.log((sum * step) / 3) - fall ** 2 / 2 - Math.log(2 * Math.PI) / 2;
}

/** Nats of labels [M,C] under Gaussians [M,2C]. */
export const slowGaussian = (labels: readonly number[], parameters: readonly number[], { levels, offset }: GaussianSizes): number[] =>
  labels.map((label, i) => {
    const scale = Math.exp(Math.max(parameters[2 * i + 1] as number, -3));
    const value = label - offset - (parameters[2 * i] as number);
    const below = label === 0 ? -Infinity : (value - 0.5) / scale;
    const above = label === levels - 1 ? Infinity : (value + 0.5) / scale;
    return -(above + below < 0 ? logMass(-above, -below) : logMass(below, above));
  });
