import type { CompressJob } from '../codec/compress';
import type { DecompressJob } from '../codec/decompress';
import type { CodedImage } from '../codec/format';
import type { Images } from '../core/images';
import type { LogProbJob } from '../likelihood/log-prob';
import type { PortableModel } from '../program/program';
import type { AdjusterData } from '../sampling/changes/adjusters';
import type { SampledImages, WalkHooks } from '../sampling/image-model';
import type { Job } from '../sampling/options';

/** A sampling job as plain data. */
export type SampleTask = Omit<Job, 'random' | 'adjust' | 'potential' | keyof WalkHooks> & {
  readonly adjust: AdjusterData | undefined;
};

/**
 * The methods of workers, each with a job, or a piece of one, as plain data, and its result: arrays that hold as much for
 * each image.
 */
export interface Work {
  sample: { job: SampleTask; result: SampledImages };
  logProb: { job: Omit<LogProbJob, keyof WalkHooks>; result: { nats: Float64Array } };
  compress: { job: Omit<CompressJob, keyof WalkHooks>; result: { coded: CodedImage[] } };
  decompress: { job: Omit<DecompressJob, keyof WalkHooks>; result: Pick<Images, 'data'> };
}
export type Method = keyof Work;

/** Messages from the pool to a worker, which has one call at a time. Calls refer to models by numbers. */
export type WorkerRequest =
  | { kind: 'keep'; model: number; value: PortableModel }
  | { kind: 'drop'; model: number }
  | { [M in Method]: Call<M> }[Method]
  | { kind: 'abort' };

export interface Call<M extends Method> {
  kind: 'call';
  method: M;
  model: number;
  job: Work[M]['job'];
  /** Whether progress is reported. */
  isFollowed: boolean;
}
