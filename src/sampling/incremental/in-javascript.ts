import type { Operand } from '../../kernels/instruction';
import type { NormalizeArgs } from '../../program/program';
import type { FeatureCache } from './feature-cache';
import type { Layout } from './layout';
import type { Plan } from './plan';

/** A function of one number, from features x into slots of y; what pads a stretch stays 0. */
export function eachFeature(
  plan: Plan,
  x: FeatureCache,
  { steps, slotOf }: Pick<Layout, 'steps' | 'slotOf'>,
  y: Operand,
  fn: (x: number) => number,
): void {
  const a = x.operand();
  for (const step of new Set(steps)) {
    const features = [...steps.keys()].filter((feature) => steps[feature] === step);
    const from = features.map((feature) => x.layout.slotOf[feature] as number);
    const to = features.map((feature) => slotOf[feature] as number);
    plan.emit(step, (heap, at, images) => {
      for (let n = 0; n < images; n++) {
        const [an, yn] = [at(a) + n * a.stride, at(y) + n * y.stride];
        for (let i = 0; i < to.length; i++) {
          heap[yn + (to[i] as number)] = fn(heap[an + (from[i] as number)] as number);
        }
      }
    });
  }
}

/** Layer normalization over the features of a pixel, in float64, once all are known. */
export function normalize(
  plan: Plan,
  { gamma, beta, epsilon }: NormalizeArgs,
  x: FeatureCache,
  y: FeatureCache,
): void {
  const from = x.layout.slotOf;
  const to = y.layout.slotOf;
  const size = from.length;
  const [xs, ys] = [x.operand(), y.operand()];
  const scales = gamma && plan.numbers(gamma);
  const shifts = beta && plan.numbers(beta);
  plan.emit(y.layout.steps[0] as number, (heap, at, images) => {
    for (let n = 0; n < images; n++) {
      const [xn, yn] = [at(xs) + n * xs.stride, at(ys) + n * ys.stride];
      const value = (i: number) => heap[xn + (from[i] as number)] as number;
      let mean = 0;
      for (let i = 0; i < size; i++) mean += value(i) / size;
      let variance = 0;
      for (let i = 0; i < size; i++) variance += (value(i) - mean) ** 2 / size;
      const factor = 1 / Math.sqrt(variance + epsilon);
      for (let i = 0; i < size; i++) {
        heap[yn + (to[i] as number)] = (value(i) - mean) * factor * (scales?.[i] ?? 1) + (shifts?.[i] ?? 0);
      }
    }
  });
}
