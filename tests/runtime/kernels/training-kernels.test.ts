import { describe, expect, it } from 'vitest';
import { trainingLoops } from '../../support/kernels/loops';
import { noise } from '../../support/tensors';

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
  const loops = trainingLoops(memory);
  const [gate, gateBack] = isLinear ? [loops.glu, loops.gluBack] : [loops.gate, loops.gateBack];
  gate(4 * y, 4 * x, 0, n, 1, 1, 1);
  gateBack(4 * dx, 4 * dy, 4 * x, 0, n, 1, 1, 1);
  const part = (start: number, stride: number) => as.map((_, i) => floats[start + stride * i] as number);
  return { y: part(y, 1), da: part(dx, 2), db: part(dx + 1, 2) };
}

/** The largest error of any, relative to what is right. */
const worst = (got: readonly number[], right: (a: number) => number) =>
  Math.max(...got.map((value, i) => Math.abs(value / right(AS[i] as number) - 1)));

describe.each([-20, -3.3, -0.7, 0, 0.7, 3.3, 20])('keeps seven digits, however small a is, at b = %d', (given) => {
  const b = Math.fround(given);
  const sigmoid = 1 / (1 + Math.exp(-b));
  const slope = sigmoid / (1 + Math.exp(b)); // sigmoid (1 - sigmoid)

  it.each([
    ['tanh', false, Math.tanh, (a: number) => 1 / Math.cosh(a) ** 2, 4.5e-7],
    ['linear', true, (a: number) => a, () => 1, 3e-7],
  ] as const)('%s', (_, isLinear, fn, derivative, near) => {
    const { y, da, db } = gates(AS, b, isLinear);
    expect(worst(y, (a) => fn(a) * sigmoid)).toBeLessThan(3e-7);
    expect(worst(da, (a) => DY * sigmoid * derivative(a))).toBeLessThan(near);
    expect(worst(db, (a) => DY * slope * fn(a))).toBeLessThan(4.5e-7);
  });
});

it('keeps the sign of 0, has its limits, and keeps NaN', () => {
  const as = [0, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
  const { y, da, db } = gates(as, 0, false);
  expect(y).toEqual([0, -0, 0.5, -0.5, Number.NaN]);
  expect(da).toEqual([DY / 2, DY / 2, 0, 0, Number.NaN]);
  expect(db).toEqual([0, -0, DY / 4, -DY / 4, Number.NaN]);
});

/** A convolution 1x1 of a few pixels of `inputs` features to as many, and the gradient of its kernel for slopes that are x. */
function convolved(x: readonly number[], kernel: readonly number[], inputs: number, isFused: boolean) {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const pixels = x.length / inputs;
  const floats = new Float32Array(memory.buffer);
  const [ofX, ofKernel, ofBias, ofY, ofSlope, ofSum, scratch] = [0, 512, 1024, 1536, 2048, 3072, 4096];
  floats.set(x, ofX);
  floats.set(kernel, ofKernel);
  const loops = trainingLoops(memory, isFused);
  const sizes = [1, 1, pixels, inputs, inputs, 1, 1, 0, 1, 1, 1, 1] as const;
  const bias = 4 * ofBias;
  loops.convolve(4 * ofY, 4 * ofX, 4 * ofKernel, bias, ...sizes, Number.NEGATIVE_INFINITY, 4 * scratch);
  loops.correlate(4 * ofSlope, 4 * ofSum, 4 * ofX, 4 * ofX, 0, ...sizes, 4 * scratch);
  const part = (start: number, length: number) => Array.from(floats.subarray(start, start + length));
  return [...part(ofY, pixels * inputs), ...part(ofSlope, inputs * inputs)];
}

/** a b + c in one instruction of relaxed SIMD, as this engine and processor round it; null where the engine has none. */
function relaxed(a: number, b: number, c: number): number | null {
  const splat = (local: number) => [0x20, local, 0xfd, 0x13]; // local.get, f32x4.splat
  const bytes = [
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // magic, version
    ...[1, 8, 1, 0x60, 3, 0x7d, 0x7d, 0x7d, 1, 0x7d], // type: f32, f32, f32 -> f32
    ...[3, 2, 1, 0],
    ...[7, 5, 1, 1, 0x66, 0, 0], // export f
    ...[10, 22, 1, 20, 0],
    ...[...splat(0), ...splat(1), ...splat(2), 0xfd, 0x85, 2], // f32x4.relaxed_madd
    ...[0xfd, 0x1f, 0, 0x0b], // f32x4.extract_lane 0
  ];
  if (!WebAssembly.validate(Uint8Array.from(bytes))) return null;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes)));
  return (exports['f'] as (...args: number[]) => number)(a, b, c);
}

it('rounds a product, and then the sum, where fused products are not wanted, and else as the processor does', () => {
  // a² = 1 + 2^-11 + 2^-24, which is a tie that a float32 rounds to 1 + 2^-11: taken from it, it leaves 0, or 2^-24 where a² is not rounded
  const a = 1 + 2 ** -12;
  const x = Array.from({ length: 4 }, () => [1, a]).flat(); // a tile of pixels
  const kernel = [-(1 + 2 ** -11), 0, a, 0]; // [in,out]
  const [plain] = convolved(x, kernel, 2, false);
  expect(plain).toBe(0);
  const [fused] = convolved(x, kernel, 2, true);
  expect(fused).toBe(relaxed(a, a, -(1 + 2 ** -11)) ?? 0);
});

it('differs only by rounding with fused products', () => {
  const inputs = 13;
  const numbers = (count: number, seed: number) => Array.from(noise(count, seed));
  const [x, kernel] = [numbers(9 * inputs, 1), numbers(inputs * inputs, 2)];
  const [plain, fused] = [false, true].map((isFused) => convolved(x, kernel, inputs, isFused)) as [number[], number[]];
  for (let pixel = 0; pixel < 9; pixel++)
    for (let out = 0; out < inputs; out++) {
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += (x[pixel * inputs + i] as number) * (kernel[i * inputs + out] as number);
      expect(Math.abs((plain[pixel * inputs + out] as number) - sum)).toBeLessThan(2e-6);
    }
  for (const [i, value] of fused.entries()) expect(Math.abs(value - (plain[i] as number))).toBeLessThan(2e-6);
});
