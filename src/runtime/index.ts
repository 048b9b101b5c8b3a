import './kernels/modules'; // first: see index.ts

export { type CompressOptions, compress } from './codec/compress';
export { type DecompressOptions, decompress } from './codec/decompress';
export type { ConditionData, ConditionShape, ConditionsByName, NumericArray } from './core/conditions';
export { getMask, type Mask, type MaskArgs, type MaskType } from './core/declared-window';
export type { Images, OwnImages, Place } from './core/images';
export { type Look, type Picture, type PictureOptions, picture } from './core/picture';
export type { SymmetricOptions, Symmetry, SymmetryShape } from './core/symmetries';
export type { DistributionShape } from './distributions/kinds';
export { type Cost, type CostOptions, costOf } from './engine/cost';
export type { Averages, AveragesArgs, Observables } from './likelihood/averages';
export { averages } from './likelihood/averages';
export type { Energy } from './likelihood/energies';
export type { LogPartition, LogPartitionArgs } from './likelihood/log-partition';
export { logPartition } from './likelihood/log-partition';
export {
  type LevelLogProbsOptions,
  type LogProbOptions,
  levelLogProbs,
  logProb,
} from './likelihood/log-prob';
export {
  createPool,
  type Pool,
  type PoolLogProbOptions,
  type PoolOptions,
  type PoolProgress,
  type PoolSampleOptions,
} from './pool/pool';
export {
  type ReadPortableOptions,
  readPortable,
  type WritePortableOptions,
  writePortable,
} from './program/file';
export { type LoadPortableOptions, type LoadProgress, loadPortable } from './program/load';
export type { PortableModel, ProgramNode, Weight } from './program/program';
export type { Adjust } from './sampling/changes/adjust';
export {
  type Adjuster,
  type AllowedNeighborsArgs,
  allowed,
  allowedNeighbors,
} from './sampling/changes/adjusters';
export type { SampleProgress } from './sampling/options';
export type { Potential } from './sampling/particles';
export { type Sampled, type SampleOptions, sample } from './sampling/sample';
export { type Stepper, type StepperOptions, stepper } from './sampling/stepper';
export { symmetric } from './sampling/symmetric';
export type { PoolWorker } from './workers/workers';
