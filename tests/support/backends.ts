import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe } from 'vitest';

/** The backends that run here. */
export const backends = ['cpu', 'wasm'] as const;
export type Backend = (typeof backends)[number];

/** Runs a suite once on each backend. */
export function onEachBackend(name: string, suite: (backend: Backend) => void): void {
  describe.each(backends)(`${name} on %s`, (backend) => {
    beforeAll(() => useBackend(backend));
    suite(backend);
  });
}

export async function useBackend(backend: Backend): Promise<void> {
  await tf.setBackend(backend);
  await tf.ready();
}
