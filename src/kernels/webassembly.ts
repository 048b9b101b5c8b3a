import { MODULE } from './module';
import type { Kernels } from './types';

const PAGE = 65536; // bytes

/** What assembly.ts exports; its offsets and strides count bytes. */
type Exports = Record<'product' | 'relu' | 'add', (...args: number[]) => void>;

let compiled: WebAssembly.Module | null | undefined;

/** The module, compiled once; null where WebAssembly SIMD is missing or forbidden. It is small enough to compile at once. */
function compile(): WebAssembly.Module | null {
  if (compiled === undefined) {
    try {
      compiled = new WebAssembly.Module(
        Uint8Array.from(atob(MODULE), (character) => character.charCodeAt(0)),
      );
    } catch {
      compiled = null;
    }
  }
  return compiled;
}

/** The kernels in WebAssembly SIMD, with a memory of their own; null where that is missing or forbidden. */
export function webAssemblyKernels(floats: number): Kernels | null {
  const module = compile();
  if (module === null) return null;
  const memory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil((4 * floats) / PAGE)) });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const { product, relu, add } = exports as Exports;
  return {
    heap: new Float32Array(memory.buffer, 0, floats),
    product: (y, yStride, start, startStride, x, xStride, w, wStride, images, inputs, outputs, least) =>
      product(
        4 * y,
        4 * yStride,
        4 * start,
        4 * startStride,
        4 * x,
        4 * xStride,
        4 * w,
        4 * wStride,
        images,
        inputs,
        outputs,
        least,
      ),
    relu: (y, yStride, x, xStride, images, length) =>
      relu(4 * y, 4 * yStride, 4 * x, 4 * xStride, images, length),
    add: (y, yStride, a, aStride, b, bStride, images, length) =>
      add(4 * y, 4 * yStride, 4 * a, 4 * aStride, 4 * b, 4 * bStride, images, length),
  };
}
