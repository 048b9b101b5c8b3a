export {
  type Causality,
  type CausalityOptions,
  checkCausality,
  type Leak,
} from './causality/check-causality';
export { type ReceptiveField, type ReceptiveFieldOptions, receptiveField } from './causality/receptive-field';
export type { ConditionShape } from './image-model/condition-shape';
export type { Condition } from './image-model/conditions';
export { normalize } from './image-model/normalize';
export type { Place } from './image-model/place';
export { GatedActivation, type GatedActivationArgs, gatedActivation } from './layers/gated-activation';
export { MaskedConv2D, type MaskedConv2DArgs, maskedConv2d } from './layers/masked-conv-2d';
export { OneHotClass, type OneHotClassArgs, oneHotClass } from './layers/one-hot-class';
export { PixelCNNResBlock, type PixelCNNResBlockArgs, pixelCNNResBlock } from './layers/pixel-cnn-res-block';
export { PixelLogits, type PixelLogitsArgs, pixelLogits } from './layers/pixel-logits';
export { type LogProbOptions, logProb } from './likelihood/log-prob';
export { bitsPerDim, negativeLogLikelihood } from './likelihood/loss';
export { getMask, type Mask, type MaskArgs, type MaskType } from './mask';
export {
  AutoregressiveModel,
  type AutoregressiveModelArgs,
  autoregressiveModel,
} from './models/autoregressive-model';
export { type GatedPixelCNNArgs, gatedPixelCNN } from './models/gated-pixel-cnn';
export {
  type GatedBlockOutputs,
  type GatedPixelCNNBlockArgs,
  type GatedStacks,
  gatedPixelCNNBlock,
} from './models/gated-pixel-cnn-block';
export type { NetworkArgs } from './models/model-args';
export { type BlockArgs, type PixelCNNArgs, pixelCNN } from './models/pixel-cnn';
export { kernelsInUse } from './ops/wasm-kernels';
export type {
  AffineArgs,
  ConvArgs,
  Features,
  IncrementalLayer,
  NormalizeArgs,
  Program,
} from './program/program';
export type { SampleOptions, SampleProgress } from './sampling/options';
export { sample } from './sampling/sample';
export { clipGradients } from './training/clip-gradients';
export {
  type ExponentialDecayArgs,
  exponentialDecay,
  type LearningRateSchedule,
  type Schedule,
  scheduleLearningRate,
} from './training/schedule';
export { WeightAverage, type WeightAverageOptions } from './training/weight-average';
