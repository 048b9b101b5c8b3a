import './runtime/kernels/modules'; // first, since a bundle with all kernels side by side compresses better

export {
  type Causality,
  type CausalityOptions,
  checkCausality,
  type Leak,
} from './causality/check-causality';
export { type ReceptiveField, type ReceptiveFieldOptions, receptiveField } from './causality/receptive-field';
export { averages } from './inference/averages';
export { type CompressOptions, compress, type DecompressOptions, decompress } from './inference/codec';
export { logPartition } from './inference/log-partition';
export {
  type LevelLogProbsOptions,
  type LogProbOptions,
  levelLogProbs,
  logProb,
} from './inference/log-prob';
export { picture } from './inference/picture';
export { type Sampled, type SampleOptions, sample } from './inference/sample';
export { type StepperOptions, stepper } from './inference/stepper';
export type { TfjsModel } from './inference/tensor-model';
export * from './layers/index';
export {
  AutoregressiveModel,
  type AutoregressiveModelArgs,
  autoregressiveModel,
} from './models/autoregressive-model';
export type { Condition } from './models/conditions';
export { type GatedPixelCNNArgs, gatedPixelCNN } from './models/gated-pixel-cnn';
export {
  type GatedBlockOutputs,
  type GatedPixelCNNBlockArgs,
  type GatedStacks,
  gatedPixelCNNBlock,
} from './models/gated-pixel-cnn-block';
export { type ImageGPTArgs, imageGPT } from './models/image-gpt';
export { loadModel } from './models/load-model';
export { bitsPerDim, negativeLogLikelihood } from './models/loss';
export type {
  AutoregressiveModelCompileArgs,
  AutoregressiveModelEvaluateArgs,
  AutoregressiveModelFitArgs,
  AutoregressiveModelFitDatasetArgs,
  TrainOnBatchOptions,
} from './models/method-arguments';
export type { ConditionArgs, InputEncoding, NetworkArgs, OutputMeaning } from './models/network';
export { normalize } from './models/normalize';
export { type BlockArgs, type PixelCNNArgs, pixelCNN } from './models/pixel-cnn';
export { type PixelCNNPlusPlusArgs, pixelCNNPlusPlus } from './models/pixel-cnn-plus-plus';
export { type CodeConditionArgs, type PixelSNAILArgs, pixelSNAIL } from './models/pixel-snail';
export { type SymmetricModel, symmetric } from './models/symmetric';
export type { Levels, LevelsAndCondition, ValidationData } from './models/training-data';
export { kernelsInUse } from './ops/wasm-kernels';
export { type ToPortableOptions, toPortable } from './portable/trace';
export type {
  ConditionData,
  ConditionShape,
  ConditionsByName,
  NumericArray,
} from './runtime/core/conditions';
export {
  getMask,
  type Mask,
  type MaskArgs,
  type MaskType,
  type Shift,
  type ShiftedWindowArgs,
  windowOf,
} from './runtime/core/declared-window';
export type { Images, OwnImages, Place } from './runtime/core/images';
export type { Look, Picture, PictureOptions } from './runtime/core/picture';
export type { SymmetricOptions, Symmetry, SymmetryShape } from './runtime/core/symmetries';
export type { KernelWindow } from './runtime/core/window';
export type { DistributionShape } from './runtime/distributions/kinds';
export type { PixelDistribution, Softmax } from './runtime/distributions/pixel-distribution';
export type { Averages, AveragesArgs, Observables } from './runtime/likelihood/averages';
export type { Energy } from './runtime/likelihood/energies';
export type { LogPartition, LogPartitionArgs } from './runtime/likelihood/log-partition';
export type { Expressed, Ops } from './runtime/program/operations';
export type { AttentionArgs, DropoutArgs } from './runtime/program/operations/attend';
export type { GateKind } from './runtime/program/operations/gate';
export type { LSTMPath } from './runtime/program/operations/lstm';
export type {
  NormalizationArgs,
  ScaleAndShift,
  SoftmaxName,
  StandardizeArgs,
} from './runtime/program/operations/normalize';
export type { CombinationName, PointwiseName } from './runtime/program/operations/pointwise';
export type { PortableModel, ProgramNode, Weight } from './runtime/program/program';
export type { Kernel, LayerWeight, NormalizedKernel } from './runtime/program/weights';
export type { Adjust } from './runtime/sampling/changes/adjust';
export {
  type Adjuster,
  type AllowedNeighborsArgs,
  allowed,
  allowedNeighbors,
} from './runtime/sampling/changes/adjusters';
export type { SampleProgress } from './runtime/sampling/options';
export type { Potential } from './runtime/sampling/particles';
export type { Stepper } from './runtime/sampling/stepper';
export { clipGradients } from './training/clip-gradients';
export type { EnergyStep, FitToEnergyArgs } from './training/fit-to-energy';
export { fitToEnergy } from './training/fit-to-energy';
export type { InitializationOptions } from './training/initialize-from-data';
export { initializeFromData } from './training/initialize-from-data';
export {
  type ExponentialDecayArgs,
  exponentialDecay,
  type LearningRateSchedule,
  type Schedule,
  scheduleLearningRate,
} from './training/schedule';
export { createTrainer, type Trainer, type TrainerOptions } from './training/trainer';
export { WeightAverage, type WeightAverageOptions } from './training/weight-average';
