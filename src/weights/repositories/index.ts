import type { ModelWeight, Origin } from '../model-weights';
import { pixelCnnPp } from './pixel-cnn-pp';
import { vqVae2 } from './vq-vae-2';

/** Finds the tensors that a weight of a model is computed from; null if it has no such weight. */
export type Repository = (weight: ModelWeight, all: readonly ModelWeight[]) => Origin | null;

/** Repositories whose state dicts can be loaded: another one is another file, and another line here. */
export const repositories = {
  'pclucas14/pixel-cnn-pp': pixelCnnPp,
  'rosinality/vq-vae-2-pytorch': vqVae2,
} satisfies Readonly<Record<string, Repository>>;
