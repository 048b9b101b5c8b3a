import type { Draw, PixelDistribution } from '../../../src/runtime/distributions/pixel-distribution';
import { changesOf } from '../../../src/runtime/sampling/changes';
import type { OutputSource } from '../../../src/runtime/sampling/growing-images';
import { levelSampler } from '../../../src/runtime/sampling/level-sampler';
import type { Job } from '../../../src/runtime/sampling/options';

/** Options that change how levels are drawn. */
export type Filters = Pick<Job, 'temperature' | 'topK' | 'topP'>;

/** Draws as `sample` does, for a number of images. */
export function drawWith(distribution: PixelDistribution, numImages: number, filters: Filters): Draw {
  const job = { ...filters, guidance: 0, numImages, withLogProb: false, lookAhead: 0 } as Job;
  const { changes } = changesOf(job, {} as OutputSource, distribution, numImages);
  const sampler = levelSampler(distribution, job, changes, numImages);
  return (current, uniforms, drawn) => {
    sampler.read({ place: [0, 0, current.channel], current, levelsSoFar: new Int32Array(0) }, numImages);
    sampler.draw(uniforms, drawn);
  };
}
