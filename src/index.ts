// Built, each export brings the kernels along instead: see scripts/lib/own-kernels.mjs.
import './ops/own-kernels';

export {
  type Causality,
  type CausalityOptions,
  checkCausality,
  type Leak,
} from './causality/check-causality';
export { type ReceptiveField, type ReceptiveFieldOptions, receptiveField } from './causality/receptive-field';
export type { ConditionData, ConditionShape, ConditionsByName, NumericArray } from './core/conditions';
export type { Images, Place } from './core/images';
export {
  getMask,
  type KernelWindow,
  type Mask,
  type MaskArgs,
  type MaskType,
  type Shift,
  type ShiftedWindowArgs,
  windowOf,
} from './core/window';
export type { DistributionShape, PixelDistribution, Softmax } from './distributions/pixel-distribution';
export {
  CausalAttention,
  type CausalAttentionArgs,
  causalAttention,
} from './layers/causal-attention';
export type { CausalConv2DArgs } from './layers/causal-conv-2d';
export { CenteredImage, centeredImage } from './layers/centered-image';
export { ConcatElu, concatElu } from './layers/concat-elu';
export type { WeightNormalizationArgs } from './layers/convolution-weights';
export {
  DiagonalBiLSTMBlock,
  type DiagonalBiLSTMBlockArgs,
  diagonalBiLSTMBlock,
} from './layers/diagonal-bi-lstm-block';
export { EnlargedMap, type EnlargedMapArgs, enlargedMap } from './layers/enlarged-map';
export { GatedActivation, type GatedActivationArgs, gatedActivation } from './layers/gated-activation';
export { GatedResBlock, type GatedResBlockArgs, gatedResBlock } from './layers/gated-res-block';
export { LevelEmbedding, type LevelEmbeddingArgs, levelEmbedding } from './layers/level-embedding';
export { LogisticMixture, type LogisticMixtureArgs, logisticMixture } from './layers/logistic-mixture';
export { MaskedConv2D, type MaskedConv2DArgs, maskedConv2d } from './layers/masked-conv-2d';
export {
  MixtureParameters,
  type MixtureParametersArgs,
  mixtureParameters,
} from './layers/mixture-parameters';
export { OneHotClass, type OneHotClassArgs, oneHotClass } from './layers/one-hot-class';
export { OneHotCodes, type OneHotCodesArgs, oneHotCodes } from './layers/one-hot-codes';
export { OneHotLevels, type OneHotLevelsArgs, oneHotLevels } from './layers/one-hot-levels';
export { PixelCNNResBlock, type PixelCNNResBlockArgs, pixelCNNResBlock } from './layers/pixel-cnn-res-block';
export { PixelDropout, type PixelDropoutArgs, pixelDropout } from './layers/pixel-dropout';
export { PixelLayer } from './layers/pixel-layer';
export { PixelLogits, type PixelLogitsArgs, pixelLogits } from './layers/pixel-logits';
export {
  PixelNormalization,
  type PixelNormalizationArgs,
  pixelNormalization,
} from './layers/pixel-normalization';
export { PixelPosition, pixelPosition } from './layers/pixel-position';
export { PixelShift, type PixelShiftArgs, pixelShift } from './layers/pixel-shift';
export type { RecurrentBlockArgs } from './layers/recurrent-block';
export { RowLSTMBlock, type RowLSTMBlockArgs, rowLSTMBlock } from './layers/row-lstm-block';
export type { SeedArgs } from './layers/seeds';
export { ShiftedConv2D, type ShiftedConv2DArgs, shiftedConv2d } from './layers/shifted-conv-2d';
export type { Apply, DistributionLayer, TensorDistribution } from './layers/types';
export {
  AutoregressiveModel,
  type AutoregressiveModelArgs,
  autoregressiveModel,
} from './models/autoregressive-model';
export type { ConditionArgs } from './models/condition-inputs';
export type { Condition } from './models/conditions';
export { type GatedPixelCNNArgs, gatedPixelCNN } from './models/gated-pixel-cnn';
export {
  type GatedBlockOutputs,
  type GatedPixelCNNBlockArgs,
  type GatedStacks,
  gatedPixelCNNBlock,
} from './models/gated-pixel-cnn-block';
export { bitsPerDim, negativeLogLikelihood } from './models/loss';
export type {
  AutoregressiveModelCompileArgs,
  AutoregressiveModelEvaluateArgs,
  AutoregressiveModelFitArgs,
  AutoregressiveModelFitDatasetArgs,
  TrainOnBatchOptions,
} from './models/method-arguments';
export type { InputEncoding, NetworkArgs, OutputMeaning } from './models/network';
export { normalize } from './models/normalize';
export { type BlockArgs, type PixelCNNArgs, pixelCNN } from './models/pixel-cnn';
export { type PixelCNNPlusPlusArgs, pixelCNNPlusPlus } from './models/pixel-cnn-plus-plus';
export { type CodeConditionArgs, type PixelSNAILArgs, pixelSNAIL } from './models/pixel-snail';
export type { LevelsAndCondition, ValidationData } from './models/training-data';
export { kernelsInUse } from './ops/wasm-kernels';
export type {
  DropoutArgs,
  Expressed,
  GateKind,
  Kernel,
  LayerWeight,
  NormalizationArgs,
  NormalizedKernel,
  Ops,
  ScaleAndShift,
  StandardizeArgs,
} from './program/ops';
export type {
  CombinationName,
  LSTMPath,
  PointwiseName,
  PortableModel,
  ProgramNode,
  SoftmaxName,
  Weight,
} from './program/program';
export {
  type Adjust,
  type Adjuster,
  type AllowedNeighborsArgs,
  allowed,
  allowedNeighbors,
} from './sampling/adjusters';
export type { SampleProgress } from './sampling/options';
export { type CompressOptions, compress, type DecompressOptions, decompress } from './tensors/codec';
export {
  type LevelLogProbsOptions,
  type LogProbOptions,
  levelLogProbs,
  logProb,
} from './tensors/log-prob';
export { type Sampled, type SampleOptions, sample } from './tensors/sample';
export { type ToPortableOptions, toPortable } from './tensors/trace';
export { clipGradients } from './training/clip-gradients';
export { type InitializationOptions, initializeFromData } from './training/initialize-from-data';
export {
  type ExponentialDecayArgs,
  exponentialDecay,
  type LearningRateSchedule,
  type Schedule,
  scheduleLearningRate,
} from './training/schedule';
export { WeightAverage, type WeightAverageOptions } from './training/weight-average';
