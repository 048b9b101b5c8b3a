import type { serialization } from '@tensorflow/tfjs-core';

/**
 * A layer's config as it was before it was saved: tfjs writes 'A' as 'a', as it rewrites every string to
 * snake case.
 */
export function readSavedConfig(config: serialization.ConfigDict): serialization.ConfigDict {
  const { maskType } = config;
  return typeof maskType === 'string' ? { ...config, maskType: maskType.toUpperCase() } : config;
}
