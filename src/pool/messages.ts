import type { CompressJob } from '../codec/compress';
import type { DecompressJob } from '../codec/decompress';
import type { CodedImage } from '../codec/format';
import type { NumericArray } from '../core/conditions';
import type { Images } from '../core/images';
import type { LogProbOptions } from '../likelihood/log-prob';
import type { PortableModel } from '../program/program';
import type { AdjusterData } from '../sampling/adjusters';
import type { SampleOptions } from '../sampling/options';
import type { Sampled } from '../sampling/sample';

// The messages between a pool and its workers. Libraries that call functions in workers know nothing about progress,
// aborting, or what a worker should cache. These few messages are simpler than wrapping such a library.

/** What workers can do, by name: the input for a piece of a job, and its result. */
export interface Work {
  sample: { args: Omit<SampleOptions, 'adjust'> & { adjust?: AdjusterData }; result: Sampled };
  logProb: { args: LogProbOptions & { images: NumericArray }; result: Float64Array };
  compress: { args: Omit<CompressJob, 'storeCondition'>; result: readonly CodedImage[] };
  decompress: { args: DecompressJob; result: Images };
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
  args: Work[M]['args'];
  /** Whether its progress is wanted. */
  isFollowed: boolean;
}

/** From a worker to the pool: how many values of a call are done, or the outcome. */
export type Reply =
  | { kind: 'progress'; id: number; done: number }
  | { kind: 'result'; id: number; result: Work[Method]['result'] }
  | { kind: 'error'; id: number; error: unknown };
