import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, beforeEach, describe, inject, type RunnerTestSuite as Suite } from 'vitest';
import { kernelsInUse } from '../../src/ops/wasm-kernels';

/** Where the tests run is one of the projects of vitest.config.ts or vitest.everywhere.config.ts, each with its backends. */
declare module 'vitest' {
  interface ProvidedContext {
    backends: Backend[];
    /** Whether another project has run what is beside the suites on each backend. */
    isRepetition: boolean;
  }
}

/** 'wasm, composed' is wasm without this library's own kernels. */
export type Backend = 'cpu' | 'wasm' | 'wasm, composed' | 'webgl' | 'webgpu' | 'tensorflow';

const register: Record<Backend, () => Promise<unknown>> = {
  cpu: () => import('@tensorflow/tfjs-backend-cpu'),
  wasm: registerWasm,
  'wasm, composed': registerWasm,
  webgl: () => import('@tensorflow/tfjs-backend-webgl'),
  webgpu: () => import('@tensorflow/tfjs-backend-webgpu'),
  tensorflow: () => import('./node/tfjs-node'),
};

/** The backends that run here. */
export const backends = inject('backends');

/** Backends whose every new shape compiles a program, which takes long in software: properties are tried on fewer cases. */
export const isGpu = (backend: Backend) => backend === 'webgl' || backend === 'webgpu';

/** Runs a suite once on each backend. */
export function onEachBackend(name: string, suite: (backend: Backend) => void): void {
  onEachOf(backends, name, suite);
}

/** Runs a suite once on each backend but those of GPUs: for what computes without tfjs, beside whole passes of a model. */
export function onEachCpuBackend(name: string, suite: (backend: Backend) => void): void {
  onEachOf(
    backends.filter((backend) => !isGpu(backend)),
    name,
    suite,
  );
}

function onEachOf(some: readonly Backend[], name: string, suite: (backend: Backend) => void): void {
  if (inject('isRepetition')) beforeEach(({ task, skip }) => skip(!isOnBackend(task), 'the same on any backend'));
  describe.each(some)(`${name} on %s`, (backend) => {
    beforeAll(() => useBackend(backend));
    suite(backend);
  });
}

/** One of the backends that run here, for what is the same on each. */
export const anyBackend = backends[0] ?? 'cpu';

/** Runs a suite on one backend. */
export function onBackend(backend: Backend, name: string, suite: () => void): void {
  describe(name, () => {
    beforeAll(() => useBackend(backend));
    suite();
  });
}

/** Whether a test is in a suite that runs on each backend. */
function isOnBackend({ suite }: { suite?: Suite | undefined }): boolean {
  if (suite === undefined) return false;
  return backends.some((backend) => suite.name.endsWith(` on ${backend}`)) || isOnBackend(suite);
}

export async function useBackend(backend: Backend): Promise<void> {
  await register[backend]();
  // Else tfjs computes small tensors on the cpu, and the programs of the GPU are not tested.
  if (backend === 'webgl') tf.env().set('WEBGL_CPU_FORWARD', false);
  if (backend === 'webgpu') tf.env().set('WEBGPU_CPU_FORWARD', false);
  const isReady = await tf.setBackend(backend.split(',')[0] as string);
  if (!isReady) throw new Error(`The backend ${backend} does not start here`);
  await tf.ready();
  tf.env().set('PIXELCNN_WASM_KERNELS', backend !== 'wasm, composed');
  if (kernelsInUse() !== (backend === 'wasm')) throw new Error(`On ${backend}, own kernels: ${kernelsInUse()}`);
}

/** In Node tfjs finds its binary itself; in a browser Vite serves it. */
async function registerWasm(): Promise<void> {
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  if (typeof window === 'undefined') return;
  const [plain, simd, threaded] = await Promise.all([
    import('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url'),
    import('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url'),
    import('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url'),
  ]);
  setWasmPaths({
    'tfjs-backend-wasm.wasm': plain.default,
    'tfjs-backend-wasm-simd.wasm': simd.default,
    'tfjs-backend-wasm-threaded-simd.wasm': threaded.default,
  });
}
