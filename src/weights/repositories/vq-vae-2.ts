import type { ModelWeight, Origin } from '../model-weights';
import { convolutionName, normalizedOrigin, type Renaming } from '../weight-norm';

// The names of PixelSNAIL's weights in https://github.com/rosinality/vq-vae-2-pytorch.

/** Finds the tensors that a weight of `pixelSNAIL` is computed from; null for other weights. */
export function vqVae2(weight: ModelWeight, all: readonly ModelWeight[]): Origin | null {
  const blocks = new Set(all.map(({ layer }) => layer).filter((layer) => layer.startsWith('out_res')));
  const last = [/^final_conv\./, `out.${blocks.size + 1}.conv`] as const; // after the blocks, and an ELU
  const conv = convolutionName(
    weight,
    [last, ...renaming],
    /^(?:horizontal|vertical|cond_resnet|blocks|out)\./,
  );
  if (conv === null || weight.kernel === null) return null;
  const isLinear = conv.includes('.causal_attention.');
  return normalizedOrigin(conv, weight, { isLinear, isAnew: weight.part === 'condition' });
}

/** That program's names for convolutions. */
const renaming: Renaming = [
  [/^stem_above\./, 'horizontal.conv.conv'],
  [/^stem_left\./, 'vertical.conv.conv'],
  [/^codes_conv\./, 'cond_resnet.blocks.0.conv'],
  [/^codes_res(\d+)/, (_, index) => `cond_resnet.blocks.${Number(index) + 1}`],
  [/^out_res/, 'out.'],
  [/^block(\d+)_/, 'blocks.$1.'],
  [/\.attention/, '.causal_attention'],
  [/\.keys/, '.key_resblock'],
  [/\.queries/, '.query_resblock'],
  [/\.out\.$/, '.out.conv'], // without attention
  [/\.out\.conv_/, '.out_resblock.conv_'],
  [/\.res(\d+\.conv_.*)$/, '.resblocks.$1.conv'], // a causal convolution wraps one
  [/\.res(\d)/, '.resblocks.$1'],
  [/conv_in/, 'conv1.conv'],
  [/conv_skip/, 'aux_conv.conv'],
  [/conv_out/, 'conv2.conv'],
  [/condition$/, 'condition.conv'],
];
