import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { useBackend } from '../../../kit/runs/backend.mjs';

describe('backend', () => {
  it('starts the one asked for', async () => {
    await useBackend('cpu');
    expect(tf.getBackend()).toBe('cpu');
  });

  it('names the flag for any other', async () => {
    await expect(useBackend('gpu')).rejects.toThrow("--backend: wanted wasm, cpu, webgpu, tensorflow, got 'gpu'");
  });
});
