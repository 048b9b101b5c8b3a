import { expect, it } from 'vitest';
import type { TrainingKernels } from '../../src/kernels/training-kernels';
import { trainingKernels } from '../../src/kernels/webassembly';

const MAGNITUDES = Array.from({ length: 400 }, (_, i) => Math.fround(10 ** (-12 + i / 30))); // 1e-12 to 20
const AS = MAGNITUDES.flatMap((a) => [a, -a]);
const DY = Math.fround(0.7);

/** The gate of (a, b) for each a, and its gradients for both where that of the gate is DY. */
function gates(as: readonly number[], b: number, isLinear: boolean) {
  const n = as.length;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const [x, y, dy, dx] = [0, 2 * n, 3 * n, 4 * n]; // x and dx are [n,2]: a and b of each
  const floats = new Float32Array(memory.buffer);
  for (const [i, a] of as.entries()) floats.set([a, b], x + 2 * i);
  floats.fill(DY, dy, dy + n);
  const loops = trainingKernels(memory) as TrainingKernels;
  const [gate, gateBack] = isLinear ? [loops.linearGate, loops.linearGateBack] : [loops.gate, loops.gateBack];
  gate(4 * y, 4 * x, 0, n, 1, 1, 1);
  gateBack(4 * dx, 4 * dy, 4 * x, 0, n, 1, 1, 1);
  const part = (start: number, stride: number) => as.map((_, i) => floats[start + stride * i] as number);
  return { y: part(y, 1), da: part(dx, 2), db: part(dx + 1, 2) };
}

/** The largest error of any, relative to what is right. */
const worst = (got: readonly number[], right: (a: number) => number) =>
  Math.max(...got.map((value, i) => Math.abs(value / right(AS[i] as number) - 1)));

it.each([-20, -3.3, -0.7, 0, 0.7, 3.3, 20])('keeps seven digits, however small a is, at b = %d', (given) => {
  const b = Math.fround(given);
  const { y, da, db } = gates(AS, b, false);
  const sigmoid = 1 / (1 + Math.exp(-b));
  const rest = 1 / (1 + Math.exp(b)); // 1 - sigmoid
  expect(worst(y, (a) => Math.tanh(a) * sigmoid)).toBeLessThan(3e-7);
  expect(worst(da, (a) => (DY * sigmoid) / Math.cosh(a) ** 2)).toBeLessThan(4.5e-7);
  expect(worst(db, (a) => DY * sigmoid * rest * Math.tanh(a))).toBeLessThan(4.5e-7);
});

it.each([-20, -3.3, -0.7, 0, 0.7, 3.3, 20])('keeps seven digits where it is linear, at b = %d', (given) => {
  const b = Math.fround(given);
  const { y, da, db } = gates(AS, b, true);
  const sigmoid = 1 / (1 + Math.exp(-b));
  const rest = 1 / (1 + Math.exp(b)); // 1 - sigmoid
  expect(worst(y, (a) => a * sigmoid)).toBeLessThan(3e-7);
  expect(worst(da, () => DY * sigmoid)).toBeLessThan(3e-7);
  expect(worst(db, (a) => DY * sigmoid * rest * a)).toBeLessThan(4.5e-7);
});

it('keeps the sign of 0, has its limits, and keeps NaN', () => {
  const as = [0, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
  const { y, da, db } = gates(as, 0, false);
  expect(y).toEqual([0, -0, 0.5, -0.5, Number.NaN]);
  expect(da).toEqual([DY / 2, DY / 2, 0, 0, Number.NaN]);
  expect(db).toEqual([0, -0, DY / 4, -DY / 4, Number.NaN]);
});
