import { expect, it } from 'vitest';
import { compileAssembly } from '../support/kernels/assembly.mjs';

const N = 1 << 16;

/** No module exports the logarithm by itself: here one does. */
const SOURCE = `
import { log } from './log-f32';
export function logs(y: usize, x: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 16) v128.store(y + i, log(v128.load(x + i)));
}`;

const memory = new WebAssembly.Memory({ initial: (8 * N) / 65536 });
const { exports } = new WebAssembly.Instance(await compileAssembly(SOURCE), { env: { memory } });

/** Of at most N numbers. */
function logs(x: Float32Array): Float32Array {
  const floats = new Float32Array(memory.buffer);
  floats.set(x, N);
  (exports['logs'] as (...args: number[]) => void)(0, 4 * N, 4 * x.length);
  return floats.slice(0, x.length);
}

it("the kernels' logarithm of float32 numbers is right to 0.85 units in the last place, for normal numbers of any size", () => {
  const first = 0x00800000; // the bits of the smallest one
  const step = Math.floor((0x7f800000 - first) / (12 * N)); // up to Infinity
  let worst = 0;
  for (let round = 0; round < 12; round++) {
    const bits = Uint32Array.from({ length: N }, (_, i) => first + (round * N + i) * step);
    const x = new Float32Array(bits.buffer);
    for (const [i, y] of logs(x).entries()) {
      const right = Math.log(x[i] as number);
      const unit = 2 ** (Math.floor(Math.log2(Math.abs(right))) - 23);
      if (right !== 0) worst = Math.max(worst, Math.abs(y - right) / unit);
    }
  }
  expect(worst).toBeLessThan(0.85);
});

it("the kernels' logarithm is 0 at 1, and keeps NaN", () => {
  expect(Array.from(logs(Float32Array.of(1, Number.NaN, 1, 1)))).toEqual([0, Number.NaN, 0, 0]);
});
