import * as tf from '@tensorflow/tfjs-core';
import { bitsPerDim, kernelsInUse, normalize, pixelCNN } from 'pixelcnn-layers';
import { afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { causalConv2d } from '../../src/ops/causal-conv';
import { backends, useBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { noise, take } from '../support/tensors';

const FLAG = 'PIXELCNN_WASM_KERNELS';

/** The memory that tfjs's wasm backend and ours share. */
const memory = () => (tf.backend() as unknown as { wasm: { asm: { memory: WebAssembly.Memory } } }).wasm.asm.memory;

const shared = () => new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });

/** The backend's own view of a tensor, and its allocator. */
interface Inside {
  dataIdMap: { get(dataId: tf.DataId): { memoryOffset: number } };
  makeOutput(shape: number[], dtype: 'float32'): tf.TensorInfo;
  disposeData(dataId: tf.DataId): boolean;
  wasm: { _malloc(bytes: number): number; _free(at: number): void };
}
const inside = () => tf.backend() as unknown as Inside;

async function convolved(): Promise<number[]> {
  const x = tf.tensor4d(noise(2 * 5 * 6 * 3, 1), [2, 5, 6, 3]);
  const kernel = tf.tensor4d(noise(3 * 5, 2), [1, 1, 3, 5]);
  const y = causalConv2d(x, kernel, null);
  tf.dispose([x, kernel]);
  return take(y);
}

async function kernelNames(): Promise<string[]> {
  const x = tf.zeros<tf.Rank.R4>([1, 2, 2, 1]);
  const kernel = tf.zeros<tf.Rank.R4>([2, 3, 1, 1]);
  const profile = await tf.profile(() => tf.grad((k) => causalConv2d(x, k as tf.Tensor4D, null))(kernel));
  tf.dispose([x, kernel, profile.result]);
  return profile.kernelNames;
}

describe.runIf(backends.includes('wasm'))('own kernels on wasm', () => {
  beforeAll(() => useBackend('wasm'));

  afterEach(() => {
    tf.env().set(FLAG, true);
    vi.restoreAllMocks();
  });

  it('are in use there and nowhere else, and can be switched off', async () => {
    expect(kernelsInUse()).toBe(true);
    expect(await kernelNames()).toContain('PixelCNNCausalConv2DWeightGradients');
    const own = await convolved();
    tf.env().set(FLAG, false);
    expect(kernelsInUse()).toBe(false);
    const names = await kernelNames();
    expect(names).not.toContain('PixelCNNCausalConv2DWeightGradients');
    expect(names).toContain('FusedConv2D');
    const composed = await convolved();
    for (const [i, value] of own.entries()) expect(value).toBeCloseTo(composed[i] as number, 5);
    tf.env().set(FLAG, true);
    if (backends.includes('cpu')) {
      await useBackend('cpu');
      tf.env().set(FLAG, true);
      expect(kernelsInUse()).toBe(false);
      await useBackend('wasm');
    }
  });

  it.each([
    ['without a memory', { wasm: { asm: {} } }],
    ['without a map of data', { dataIdMap: undefined }],
    ['without outputs', { makeOutput: undefined }],
    ['over a memory that threads share', { wasm: { asm: { memory: shared() } } }],
  ])('fall back to tfjs if the internals of the backend differ: %s', async (_, other) => {
    const expected = await convolved();
    const backend = tf.backend();
    const changed = new Proxy(backend, {
      get: (target, key) => {
        if (Object.hasOwn(other, key)) return key === 'wasm' ? other['wasm' as never] : undefined;
        return Reflect.get(target, key);
      },
    });
    const { registry } = tf.engine();
    registry['wasm'] = changed;
    const isInUse = kernelsInUse();
    const composed = isInUse ? [] : await convolved();
    registry['wasm'] = backend;
    expect(isInUse).toBe(false);
    for (const [i, value] of composed.entries()) expect(value).toBeCloseTo(expected[i] as number, 5);
    expect(kernelsInUse()).toBe(true);
  });

  it('are not in use where WebAssembly has no SIMD', async () => {
    vi.resetModules(); // a module compiled before is kept
    vi.spyOn(WebAssembly, 'Module').mockImplementation(() => {
      throw new WebAssembly.CompileError();
    });
    const again = await import('../../src/ops/wasm-kernels');
    expect(again.kernelsInUse()).toBe(false);
    expect(kernelsInUse()).toBe(true);
    vi.resetModules();
  });

  it('compile the module of a kernel when it is first called, and no other', async () => {
    vi.resetModules();
    const again = await import('../../src/ops/causal-conv');
    const compiled = vi.spyOn(WebAssembly, 'Module');
    const [x, kernel] = [tf.zeros<tf.Rank.R4>([1, 2, 2, 1]), tf.zeros<tf.Rank.R4>([1, 1, 1, 1])];
    const count = () => compiled.mock.calls.length;
    tf.dispose(again.causalConv2d(x, kernel, null));
    const first = count();
    expect(first).toBeLessThanOrEqual(3); // what shows that there is SIMD, and convolutions, fused or not
    tf.dispose(again.causalConv2d(x, kernel, null));
    expect(count()).toBe(first);
    tf.dispose([x, kernel]);
    vi.resetModules();
  });

  it('follow the memory when it grows', async () => {
    const expected = await convolved();
    const before = memory().buffer.byteLength;
    const large = tf.zeros([before / 4]); // as much again
    expect(memory().buffer.byteLength).toBeGreaterThan(before);
    expect(await convolved()).toEqual(expected);
    large.dispose();
    expect(await convolved()).toEqual(expected);
  });

  it('release all memory that a training step takes', async () => {
    const model = pixelCNN({ imageShape: [3, 3, 1], levels: 3, hiddenDim: 2, outDim: 3, numBlocks: 1 });
    model.compile({ optimizer: tf.train.adam(1e-3), loss: bitsPerDim });
    const labels = tf.randomUniform<tf.Rank.R4>([4, 3, 3, 1], 0, 3, 'int32', 1);
    const xs = normalize(labels, 3);
    const train = async (steps: number) => {
      for (let i = 0; i < steps; i++) await model.trainOnBatch(xs, labels);
      return [memory().buffer.byteLength, tf.memory().numTensors, tf.memory().numBytes];
    };
    const before = await train(2);
    const [taken, given] = [vi.spyOn(inside().wasm, '_malloc'), vi.spyOn(inside().wasm, '_free')];
    expect(await train(3)).toEqual(before);
    expect(taken.mock.calls.length).toBeGreaterThan(100);
    expect(given.mock.calls.length).toBe(taken.mock.calls.length);
    tf.dispose([labels, xs]);
    model.dispose();
  });

  describe('have clones share the memory of their tensor', () => {
    const addressOf = ({ dataId }: tf.Tensor) => inside().dataIdMap.get(dataId).memoryOffset;
    beforeAll(convolved); // which registers a kernel, if no test has

    it.each(['float32', 'int32', 'bool'] as const)('of %s, unless switched off', (dtype) => {
      const x = scoped(tf.tensor1d([1, 0, 1], dtype));
      const all = scoped([x.clone(), x.clone()]);
      expect(all.map(addressOf)).toEqual([addressOf(x), addressOf(x)]);
      const other = scoped(tf.cast(x, dtype === 'int32' ? 'float32' : 'int32'));
      tf.env().set(FLAG, false);
      const copy = scoped(x.clone());
      expect([other, copy].map(addressOf)).not.toContain(addressOf(x));
    });

    it.each([[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 2, 1]])('until the last has gone, of those after %d, %d and %d', (...order) => {
      const before = [tf.memory().numTensors, tf.memory().numBytes, tf.backend().numDataIds()];
      const x = tf.tensor1d([1, 2, 3]);
      const all = [x, x.clone(), x.clone()];
      for (const [i, one] of order.entries()) {
        all[one]?.dispose();
        const next = tf.fill([3], 7); // where it was, if that is free
        for (const left of order.slice(i + 1)) expect([...(all[left] as tf.Tensor).dataSync()]).toEqual([1, 2, 3]);
        next.dispose();
      }
      expect([tf.memory().numTensors, tf.memory().numBytes, tf.backend().numDataIds()]).toEqual(before);
    }); // biome-ignore format: rows

    it('also a variable, whose clones keep what it was, and strings', () => {
      const before = tf.backend().numDataIds();
      tf.tidy(() => {
        const variable = tf.variable(tf.tensor1d([1, 2]));
        const clone = variable.clone();
        variable.assign(tf.tensor1d([3, 4]));
        expect([...clone.dataSync(), ...variable.dataSync()]).toEqual([1, 2, 3, 4]);
        variable.assign(variable.clone());
        expect([...variable.dataSync()]).toEqual([3, 4]);
        variable.dispose();
        const text = tf.tensor1d(['a']);
        const same = text.clone();
        text.dispose();
        expect([...same.dataSync()]).toEqual(['a']);
      });
      expect(tf.backend().numDataIds()).toBe(before);
    });
  });

  describe('where the memory is full', () => {
    const message = /^A tensor \[2,5,6,5\] does not fit in the memory of the wasm backend: dispose .* fewer images/;

    it.each([
      ['no address', () => 0],
      ['an address beyond the end, as past 4 GiB', () => memory().buffer.byteLength - 4],
    ])('name the tensor that does not fit: given %s', (_, malloc) => {
      const x = scoped(tf.zeros<tf.Rank.R4>([2, 5, 6, 3]));
      const kernel = scoped(tf.zeros<tf.Rank.R4>([1, 1, 3, 5]));
      const before = tf.backend().numDataIds();
      const { wasm } = inside();
      const free = vi.spyOn(wasm, '_free').mockImplementation(() => {}); // of what was never given
      const fake = vi.spyOn(wasm, '_malloc').mockImplementation(malloc);
      expect(() => causalConv2d(x, kernel, null)).toThrow(message);
      fake.mockRestore();
      free.mockRestore();
      expect(tf.backend().numDataIds()).toBe(before);
      scoped(causalConv2d(x, kernel, null)); // there is room again
    });

    it('name an input that tfjs has put outside', () => {
      const kernel = scoped(tf.zeros<tf.Rank.R4>([1, 1, 3, 5]));
      const x = scoped(tf.zeros<tf.Rank.R4>([2, 5, 6, 3]));
      const place = inside().dataIdMap.get(x.dataId);
      const { memoryOffset } = place;
      const bytes = 4 * x.size;
      for (const [at, isInside] of [
        [0, false],
        [memory().buffer.byteLength - bytes + 4, false],
        [2 ** 32 - 64, false],
        [memory().buffer.byteLength - bytes, true],
      ] as const) {
        place.memoryOffset = at;
        const run = expect(() => causalConv2d(x, kernel, null).dispose());
        if (isInside) run.not.toThrow();
        else run.toThrow('A tensor [2,5,6,3] does not fit in the memory');
        place.memoryOffset = memoryOffset;
      }
    });

    // It grows the memory of all that comes after in this process, and only confirms what is faked above.
    it.runIf(inject('properties').times > 1)(
      'name the tensor on a memory of 4 GiB that is really full, and go on once there is room',
      async () => {
        const expected = await convolved();
        // Of what nothing is written to, the machine makes no memory.
        const unwritten = (shape: number[]) => tf.engine().makeTensorFromTensorInfo(inside().makeOutput(shape, 'float32'));
        const [x, kernel] = [tf.zeros<tf.Rank.R4>([1, 1, 1, 1]), unwritten([1, 1, 1, 2 ** 28]) as tf.Tensor4D]; // 1 GiB
        const others = [1, 2, 3].map(() => unwritten([2 ** 28 - 2 ** 24])); // 0.94 GiB each: no place for the output
        expect(() => causalConv2d(x, kernel, null)).toThrow(/^A tensor \[1,1,1,268435456\] does not fit/);
        tf.dispose([x, kernel, others]);
        expect(await convolved()).toEqual(expected);
      },
    );
  });
});
