import type { ModelWeight, Origin } from '../model-weights';
import { convolutionName, normalizedOrigin, type Renaming } from '../weight-norm';

// The names of PixelCNN++'s weights in https://github.com/pclucas14/pixel-cnn-pp.

/**
 * Finds the tensors that a weight of `pixelCNNPlusPlus` is computed from; null for other weights. In transposed
 * convolutions, that program normalizes the weights of each input, this library the weights of each output.
 */
export function pixelCnnPp(weight: ModelWeight): Origin | null {
  const conv = convolutionName(weight, renaming, /_(?:init|out|stream)\..*(?:conv|lin_a)$/);
  if (conv === null || weight.kernel === null) return null;
  return normalizedOrigin(conv, weight, {
    isLinear: conv.endsWith('lin_a'),
    isTransposed: conv.endsWith('deconv'),
  });
}

/**
 * That program's names for convolutions. Its `up_layers` are our blocks on the way down, its `down_layers` our blocks on
 * the way up, the coarsest first.
 */
const renaming: Renaming = [
  [/^stem_u\./, 'u_init.conv'],
  [/^stem_ul_above\./, 'ul_init.0.conv'],
  [/^stem_ul_left\./, 'ul_init.1.conv'],
  [/^final_conv\./, 'nin_out.lin_a'],
  [/^downsize(\d)_(ul?)\./, 'downsize_$2_stream.$1.conv'],
  [/^upsize1_(ul?)\./, 'upsize_$1_stream.0.deconv'],
  [/^upsize0_(ul?)\./, 'upsize_$1_stream.1.deconv'],
  [/^down(\d)_(\d+)_(ul?)/, 'up_layers.$1.$3_stream.$2'],
  [/^up2_(\d+)_(ul?)/, 'down_layers.0.$2_stream.$1'],
  [/^up1_(\d+)_(ul?)/, 'down_layers.1.$2_stream.$1'],
  [/^up0_(\d+)_(ul?)/, 'down_layers.2.$2_stream.$1'],
  [/conv_in$/, 'conv_input.conv'],
  [/conv_skip$/, 'nin_skip.lin_a'],
  [/conv_out$/, 'conv_out.conv'],
];
