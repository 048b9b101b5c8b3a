export {
  CausalAttention,
  type CausalAttentionArgs,
  causalAttention,
} from './causal-attention';
export type { CausalConv2DArgs } from './causal-conv-2d';
export { CenteredImage, centeredImage } from './centered-image';
export { ConcatElu, concatElu } from './concat-elu';
export type { WeightNormalizationArgs } from './convolution-weights';
export {
  DiagonalBiLSTMBlock,
  type DiagonalBiLSTMBlockArgs,
  diagonalBiLSTMBlock,
} from './diagonal-bi-lstm-block';
export { EnlargedMap, type EnlargedMapArgs, enlargedMap } from './enlarged-map';
export { GatedActivation, type GatedActivationArgs, gatedActivation } from './gated-activation';
export { GatedResBlock, type GatedResBlockArgs, gatedResBlock } from './gated-res-block';
export { LevelEmbedding, type LevelEmbeddingArgs, levelEmbedding } from './level-embedding';
export { LogisticMixture, type LogisticMixtureArgs, logisticMixture } from './logistic-mixture';
export { MaskedConv2D, type MaskedConv2DArgs, maskedConv2d } from './masked-conv-2d';
export {
  MixtureParameters,
  type MixtureParametersArgs,
  mixtureParameters,
} from './mixture-parameters';
export { OneHotClass, type OneHotClassArgs, oneHotClass } from './one-hot-class';
export { OneHotCodes, type OneHotCodesArgs, oneHotCodes } from './one-hot-codes';
export { OneHotLevels, type OneHotLevelsArgs, oneHotLevels } from './one-hot-levels';
export { PixelCNNResBlock, type PixelCNNResBlockArgs, pixelCNNResBlock } from './pixel-cnn-res-block';
export { PixelDropout, type PixelDropoutArgs, pixelDropout } from './pixel-dropout';
export { PixelLayer } from './pixel-layer';
export { PixelLogits, type PixelLogitsArgs, pixelLogits } from './pixel-logits';
export {
  PixelNormalization,
  type PixelNormalizationArgs,
  pixelNormalization,
} from './pixel-normalization';
export { PixelPosition, pixelPosition } from './pixel-position';
export { PixelShift, type PixelShiftArgs, pixelShift } from './pixel-shift';
export type { RecurrentBlockArgs } from './recurrent-block';
export { RowLSTMBlock, type RowLSTMBlockArgs, rowLSTMBlock } from './row-lstm-block';
export type { SeedArgs } from './seeds';
export { ShiftedConv2D, type ShiftedConv2DArgs, shiftedConv2d } from './shifted-conv-2d';
export type { Apply, DistributionLayer, TensorDistribution } from './types';
