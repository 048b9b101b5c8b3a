import type { PoolWorker } from 'pixelcnn-layers/runtime';

// How tests start workers that train: threads of Node with the built package, or workers of a page with its sources.

async function inNode(): Promise<() => PoolWorker> {
  const { Worker } = await import('node:worker_threads');
  const file = new URL('../../../dist/train-thread.js', import.meta.url);
  return () => new Worker(file);
}

const inPage = () => new Worker(new URL('../../../src/train-worker.ts', import.meta.url), { type: 'module' });

export const startTrainWorker: () => PoolWorker = typeof document === 'undefined' ? await inNode() : inPage;

/** Where a page finds the files of the wasm backend; Node finds them itself. */
export async function wasmPaths(): Promise<Record<string, string> | undefined> {
  if (typeof document === 'undefined') return undefined;
  const [plain, simd] = await Promise.all([
    import('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url'),
    import('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url'),
  ]);
  return { 'tfjs-backend-wasm.wasm': plain.default, 'tfjs-backend-wasm-simd.wasm': simd.default };
}
