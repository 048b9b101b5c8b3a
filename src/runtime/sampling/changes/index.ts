import type { PixelDistribution } from '../../distributions/pixel-distribution';
import type { OutputSource } from '../growing-images';
import type { Job } from '../options';
import { adjustment } from './adjust';
import type { Change } from './change';
import { guidance } from './guidance';
import { temperature } from './temperature';
import { topK } from './top-k';
import { topP } from './top-p';

/** The changes by which a job draws from other distributions than the model's, in this order. */
export interface Changes {
  /** Guidance and `adjust`. With look-ahead, given values are weighed by the distribution that these leave. */
  readonly steering: readonly Change[];
  /** Temperature, `topK` and `topP`: how levels are drawn from that. */
  readonly selection: readonly Change[];
  /** Whether there is none but temperature, with which some distributions draw faster. */
  readonly isPlain: boolean;
}

/**
 * The changes of a job, which draws from a source for a number of images; and the source of these images. To add an
 * option that changes probabilities, write it as a file here and add it to the list at its place.
 */
export function changesOf(
  job: Job,
  source: OutputSource,
  distribution: PixelDistribution,
  numImages: number,
): { readonly changes: Changes; readonly source: OutputSource } {
  const { levels } = distribution;
  const { topK: most = levels, topP: total = 1 } = job;
  const guided = job.guidance === 0 ? undefined : guidance(job.guidance, source, distribution, numImages);
  const steering = [guided?.change, job.adjust && adjustment(job.adjust, levels, job)].filter(isChange);
  const degrees = job.temperature === 1 ? undefined : temperature(levels, job.temperature);
  const cuts = [most < levels && topK(levels, most), total < 1 && topP(levels, total)].filter(isChange);
  return {
    changes: {
      steering,
      selection: [degrees, ...cuts].filter(isChange),
      isPlain: steering.length + cuts.length === 0,
    },
    source: guided?.source ?? source,
  };
}

const isChange = (change: Change | false | undefined): change is Change => typeof change === 'function';
