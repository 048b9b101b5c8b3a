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

// What a pool and its workers say to each other. Libraries that call functions in workers know nothing of
// progress, of aborting, or of what a worker should keep: the few messages here are smaller than what would
// have to be put around one.

/** What workers do, by name: what they are given for a piece of a job, and what they make of it. */
export interface Work {
  sample: { args: Omit<SampleOptions, 'adjust'> & { adjust?: AdjusterData }; result: Sampled };
  logProb: { args: LogProbOptions & { images: NumericArray }; result: Float64Array };
  compress: { args: Omit<CompressJob, 'storeCondition'>; result: readonly CodedImage[] };
  decompress: { args: DecompressJob; result: Images };
}
export type Method = keyof Work;

/** From the pool to a worker. Models and calls have numbers, by which later messages name them. */
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

/** From a worker to the pool: how many values of a call are done, or how it ended. */
export type Reply =
  | { kind: 'progress'; id: number; done: number }
  | { kind: 'result'; id: number; result: Work[Method]['result'] }
  | { kind: 'error'; id: number; error: unknown };
