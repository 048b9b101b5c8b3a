import type { ModelWeight, Origin } from '../model-weights';
import { normalizedOrigin } from '../weight-norm';

// The names of PixelSNAIL's weights in https://github.com/rosinality/vq-vae-2-pytorch.

/** Finds the tensors that a weight of `pixelSNAIL` is computed from; null for other weights. */
export function vqVae2(weight: ModelWeight, all: readonly ModelWeight[]): Origin | null {
  const conv = convolutionName(weight, all);
  if (conv === null || weight.kernel === null) return null;
  const isLinear = conv.includes('.causal_attention.');
  return normalizedOrigin(conv, weight, { isLinear, isFolded: weight.part === 'condition' });
}

/** The parts of a gated residual block. */
const parts: ReadonlyMap<string, string> = /* @__PURE__ */ new Map([
  ['conv_in', 'conv1.conv'],
  ['conv_skip', 'aux_conv.conv'],
  ['conv_out', 'conv2.conv'],
  ['condition', 'condition.conv'],
]);

/** The parts of a block, by their names here. */
const blocks: ReadonlyMap<string, string> = /* @__PURE__ */ new Map([
  ['keys', 'key_resblock'],
  ['queries', 'query_resblock'],
  ['out', 'out_resblock'],
]);

/** That program's name for a convolution; null if it has none. */
function convolutionName({ layer, part }: ModelWeight, all: readonly ModelWeight[]): string | null {
  if (layer === 'stem_above') return 'horizontal.conv.conv';
  if (layer === 'stem_left') return 'vertical.conv.conv';
  if (layer === 'codes_conv') return 'cond_resnet.blocks.0.conv';
  if (layer === 'final_conv') {
    const before = new Set(all.map((one) => one.layer).filter((name) => name.startsWith('out_res')));
    return `out.${before.size + 1}.conv`; // after the blocks, and an ELU
  }
  const [, block, of = layer] = /^block(\d+)_(.+)$/.exec(layer) ?? [];
  const prefix = block === undefined ? '' : `blocks.${block}.`;
  if (of === 'attention') return `${prefix}causal_attention.${part}`;
  if (of === 'out' && part === '') return `${prefix}out.conv`; // without attention
  const conv = parts.get(part);
  if (conv === undefined) return null;
  const known = blocks.get(of);
  if (known !== undefined) return `${prefix}${known}.${conv}`;
  const [, where, index] = /^(res|codes_res|out_res)(\d+)$/.exec(of) ?? [];
  if (where === 'res') return `${prefix}resblocks.${index}.${conv}${part === 'condition' ? '' : '.conv'}`; // a causal convolution wraps one
  if (where === 'codes_res') return `cond_resnet.blocks.${Number(index) + 1}.${conv}`;
  return where === 'out_res' ? `out.${index}.${conv}` : null;
}
