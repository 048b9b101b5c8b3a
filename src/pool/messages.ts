import type { DecompressJob } from '../codec/decompress';
import type { CodedImage } from '../codec/format';
import type { Images } from '../core/images';
import type { LogProbJob } from '../likelihood/log-prob';
import type { GivenImages } from '../likelihood/walk';
import type { PortableModel } from '../program/program';
import type { AdjusterData } from '../sampling/adjusters';
import type { Job } from '../sampling/options';
import type { Sampled } from '../sampling/sample';

// The messages between a pool and its workers. Libraries that call functions in workers know nothing about progress,
// aborting, or what a worker should cache. These few messages are simpler than wrapping such a library.

/** A job as plain data. */
export type SampleTask = Omit<Job, 'random' | 'adjust'> & { readonly adjust: AdjusterData | undefined };

/** What workers can do, by name: a job, or a piece of one, and its result. */
export interface Work {
  sample: { job: SampleTask; result: Sampled };
  logProb: { job: LogProbJob; result: Float64Array };
  compress: { job: GivenImages; result: readonly CodedImage[] };
  decompress: { job: DecompressJob; result: Images };
}
export type Method = keyof Work;

/** From the pool to a worker. Models and calls have numbers, by which later messages refer to them. */
export type Request =
  | { kind: 'keep'; model: number; value: PortableModel }
  | { kind: 'drop'; model: number }
  | { [M in Method]: Call<M> }[Method]
  | { kind: 'abort'; id: number };

export interface Call<M extends Method> {
  kind: 'call';
  id: number;
  method: M;
  model: number;
  job: Work[M]['job'];
  /** Whether its progress is wanted. */
  isFollowed: boolean;
}

/** From a worker to the pool: how many values of a call are done, or the outcome. */
export type Reply =
  | { kind: 'progress'; id: number; done: number }
  | { kind: 'result'; id: number; result: Work[Method]['result'] }
  | { kind: 'error'; id: number; error: unknown };
