import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // which registers tfjs's gradients
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TrainingKernels } from '../../src/kernels/training-kernels';
import { trainingKernels } from '../../src/kernels/webassembly';
import { pixelLSTM } from '../../src/ops/pixel-lstm';
import { backends, isGpu, onEachBackend, useBackend } from '../support/backends';
import { type LSTMSizes, slowLSTM } from '../support/slow-lstm';
import { slopesOf } from '../support/slow-plus-plus';
import { expectClose, expectNoLeaks, noise, take } from '../support/tensors';

const paths = ['rows', 'fromLeft', 'fromRight'] as const;

const cases = fc.record({
  n: fc.integer({ min: 1, max: 2 }),
  h: fc.integer({ min: 1, max: 5 }),
  w: fc.integer({ min: 1, max: 6 }),
  groups: fc.integer({ min: 1, max: 3 }),
  size: fc.integer({ min: 1, max: 2 }),
  columns: fc.constantFrom(1, 3, 5),
  path: fc.constantFrom(...paths),
});

/** z, a kernel and a slope for sizes, in plain numbers. */
function numbersOf({ n, h, w, groups, size, columns }: LSTMSizes) {
  const features = groups * size;
  const scale = (values: Float32Array) => Array.from(values, (value) => Math.fround(1.5 * value));
  return {
    z: scale(noise(n * h * w * 4 * features, 1)),
    kernel: scale(noise(columns * features * 4 * features, 2)),
    dy: Array.from(noise(n * h * w * features, 3)),
  };
}

/** The states and both gradients, by tensors. */
async function computed(
  { n, h, w, groups, size, columns, path }: LSTMSizes,
  numbers: ReturnType<typeof numbersOf>,
) {
  const features = groups * size;
  const z = tf.tensor4d(numbers.z, [n, h, w, 4 * features]);
  const kernel = tf.tensor4d(numbers.kernel, [...(path === 'rows' ? [1, columns] : [2, 1]), features, 4 * features] as [number, number, number, number]); // biome-ignore format: one line
  const dy = tf.tensor4d(numbers.dy, [n, h, w, features]);
  const run = (x: tf.Tensor, k: tf.Tensor) => pixelLSTM(x as tf.Tensor4D, k as tf.Tensor4D, path, groups) as tf.Tensor; // biome-ignore format: one line
  const { value, grads } = tf.valueAndGrads(run)([z, kernel], dy);
  expect([value.shape, ...grads.map(({ shape }) => shape)]).toEqual([dy.shape, z.shape, kernel.shape]);
  tf.dispose([z, kernel, dy]);
  return Promise.all([value, ...grads].map(take)) as Promise<[number[], number[], number[]]>;
}

/** The columns of a kernel are 2 along diagonals. */
const ofPath = (sizes: LSTMSizes): LSTMSizes => ({
  ...sizes,
  columns: sizes.path === 'rows' ? sizes.columns : 2,
});

onEachBackend('pixelLSTM', (backend) => {
  it('equals loops over pixels in plain numbers, forward and in all gradients', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (given) => {
        const sizes = ofPath(given);
        const numbers = numbersOf(sizes);
        const [states, dz, dkernel] = await computed(sizes, numbers);
        expectClose(states, slowLSTM(numbers.z, numbers.kernel, sizes), 1e-5);
        const weighted = (z: readonly number[], kernel: readonly number[]) =>
          slowLSTM(z, kernel, sizes).reduce((sum, h, i) => sum + h * (numbers.dy[i] as number), 0);
        // Slopes of a few of the numbers, since each takes two passes.
        const some = (values: readonly number[]) => values.map((_, i) => i).filter((i) => i % Math.ceil(values.length / 12) === 0); // biome-ignore format: one line
        for (const [name, gradient] of [['z', dz], ['kernel', dkernel]] as const) {
          const places = some(numbers[name]);
          const slopes = slopesOf(
            (values) => {
              const moved = [...numbers[name]];
              for (const [i, place] of places.entries()) moved[place] = values[i] as number;
              return name === 'z' ? weighted(moved, numbers.kernel) : weighted(numbers.z, moved);
            },
            places.map((place) => numbers[name][place] as number),
          );
          const largest = Math.max(1, ...gradient.map(Math.abs));
          expectClose(places.map((place) => gradient[place] as number), slopes, 2e-5 * largest);
        } // biome-ignore format: short lists
      }),
      { seed: 1, numRuns: isGpu(backend) ? 4 : 40 },
    );
  });

  it('leaves no tensor behind, with and without a tape', async () => {
    const z = tf.ones<tf.Rank.R4>([2, 3, 4, 8]);
    for (const path of paths) {
      const kernel = tf.ones<tf.Rank.R4>(path === 'rows' ? [1, 3, 2, 8] : [2, 1, 2, 8]);
      await expectNoLeaks(() => pixelLSTM(z, kernel, path, 1));
      await expectNoLeaks(() => tf.grads((x: tf.Tensor, k: tf.Tensor) => pixelLSTM(x as tf.Tensor4D, k as tf.Tensor4D, path, 2) as tf.Tensor)([z, kernel])); // biome-ignore format: one line
      kernel.dispose();
    }
    z.dispose();
  });
});

describe.runIf(backends.includes('wasm'))('pixelLSTM by own kernels on wasm', () => {
  beforeAll(() => useBackend('wasm'));

  it.each(paths)('equals operations of tfjs on larger images, of many features: %s', async (path) => {
    for (const [groups, size] of [[1, 13], [3, 5], [1, 32]] as const) {
      const sizes = ofPath({ n: 2, h: 9, w: 11, groups, size, columns: 3, path });
      const { z, kernel, dy } = numbersOf(sizes);
      const numbers = { z, dy, kernel: kernel.map((weight) => weight / 4) };
      const own = await computed(sizes, numbers);
      tf.env().set('PIXELCNN_WASM_KERNELS', false);
      const composed = await computed(sizes, numbers);
      tf.env().set('PIXELCNN_WASM_KERNELS', true);
      for (const [i, values] of own.entries()) {
        const expected = composed[i] as number[];
        expectClose(values, expected, 1e-5 * Math.max(1, ...expected.map(Math.abs)));
      }
    }
  }); // biome-ignore format: short lists

  it('serves it and its gradients, whatever is switched on in between', async () => {
    const profiled = async (own: boolean, after: boolean) => {
      const z = tf.tensor4d(noise(2 * 3 * 4 * 8), [2, 3, 4, 8]);
      const kernel = tf.tensor4d(noise(3 * 2 * 8), [1, 3, 2, 8]);
      tf.env().set('PIXELCNN_WASM_KERNELS', own);
      const { kernelNames, result } = await tf.profile(() =>
        tf.grad((k) => {
          const y = pixelLSTM(z, k as tf.Tensor4D, 'rows', 1);
          tf.env().set('PIXELCNN_WASM_KERNELS', after);
          return y as tf.Tensor;
        })(kernel),
      );
      tf.env().set('PIXELCNN_WASM_KERNELS', true);
      tf.dispose([z, kernel]);
      const names = kernelNames.filter((name) => name.startsWith('PixelCNNLSTM')).sort();
      return { names, values: await take(result as tf.Tensor) };
    };
    const whole = await profiled(true, true);
    expect(whole.names).toEqual(['PixelCNNLSTM', 'PixelCNNLSTMInputGradient', 'PixelCNNLSTMKernelGradient']);
    for (const [own, after] of [[true, false], [false, true], [false, false]] as const) {
      const { names, values } = await profiled(own, after);
      expect(names).toEqual([...(own ? whole.names.slice(0, 1) : []), ...(after ? whole.names.slice(1) : [])]);
      expectClose(values, whole.values, 1e-5);
    }
  }); // biome-ignore format: short lists
});

describe('the kernels of an LSTM', () => {
  const all = paths.flatMap((path) => [[1, 1, 1, 1], [1, 5, 1, 3], [4, 1, 2, 1], [5, 3, 1, 5], [3, 7, 3, 4]].map(([h = 1, w = 1, groups = 1, size = 1]) => [path, h, w, groups, size] as const)); // biome-ignore format: one line

  it.each<readonly [LSTMSizes['path'], number, number, number, number]>(all)('read and write nothing else: %s, %d x %d, %d groups of %d', (path, h, w, groups, size) => {
    const sizes = ofPath({ n: 2, h, w, groups, size, columns: 3, path }); // biome-ignore format: one line
    const { n, columns } = sizes;
    const features = sizes.groups * sizes.size;
    const memory = new WebAssembly.Memory({ initial: 8 });
    const loops = trainingKernels(memory) as TrainingKernels;
    const floats = new Float32Array(memory.buffer);
    const numbers = numbersOf(sizes);
    let end = floats.length; // inputs at the very end of the memory, where reading on would be an error
    const place = (length: number) => {
      end -= length;
      return end;
    };
    const put = (values: number[]) => {
      const at = place(values.length);
      floats.set(values, at);
      return at;
    };
    const [z, kernel, dy] = [numbers.z, numbers.kernel, numbers.dy].map(put) as [number, number, number];
    const [states, cells, gates, dz, dkernel] = [numbers.dy, numbers.dy, numbers.z, numbers.z, numbers.kernel].map(({ length }) => place(length)) as [number, number, number, number, number]; // biome-ignore format: one line
    const outputs = end;
    const rest = [n, sizes.h, sizes.w, sizes.groups, sizes.size, columns, paths.indexOf(path)] as const;
    const line = [path === 'rows' ? sizes.w : sizes.h, features, columns] as const;
    const at = (index: number) => 4 * index;
    const within = (scratchBytes: number, fill: (scratch: number) => void) => {
      const scratch = outputs - scratchBytes / 4;
      floats.fill(Number.NaN, scratch, outputs); // whatever was there
      floats.fill(7, 0, scratch);
      fill(at(scratch));
      expect(floats.subarray(0, scratch).every((value) => value === 7)).toBe(true);
      for (const [from, values] of [[z, numbers.z], [kernel, numbers.kernel], [dy, numbers.dy]] as const)
        expect(Array.from(floats.subarray(from, from + values.length))).toEqual(values);
    }; // biome-ignore format: short lists
    within(loops.lstmScratch(...line), (scratch) =>
      loops.lstm(at(states), at(gates), at(cells), at(z), at(kernel), ...rest, scratch),
    );
    const expected = slowLSTM(numbers.z, numbers.kernel, sizes);
    expectClose(floats.slice(states, states + expected.length), expected, 1e-5);
    within(loops.lstmBackScratch(...line), (scratch) =>
      loops.lstmBack(at(dz), at(dy), at(gates), at(cells), at(kernel), ...rest, scratch),
    );
    within(loops.lstmKernelBackScratch(...line), (scratch) =>
      loops.lstmKernelBack(at(dkernel), at(states), at(dz), ...rest, scratch),
    );
    for (const [from, length] of [[dz, numbers.z.length], [dkernel, numbers.kernel.length]] as const)
      expect(floats.slice(from, from + length).every(Number.isFinite)).toBe(true);
    expectClose(floats.slice(states, states + expected.length), expected, 1e-5);
  }); // biome-ignore format: short lists
});
