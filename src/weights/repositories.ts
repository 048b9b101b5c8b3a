// How other programs name their weights, and how these lie there.

/** Another program's state dicts. */
export interface Repository {
  /**
   * Turns this library's names of weights into theirs: replacements, one after the other. In the end, `<n>` is one more
   * than the number n, or than the number of layers here whose names begin with n.
   */
  readonly names: readonly (readonly [ours: RegExp, theirs: string])[];
  /** The names that there are; other weights are missing. @default all */
  readonly known?: RegExp;
  /** What a wrapper adds to their names. */
  readonly prefix?: RegExp;
  /** Names of tensors that are no weights, besides buffers. */
  readonly ignored?: RegExp;
  /** Names of normalized kernels without rows and columns. */
  readonly linear?: RegExp;
  /** Names of kernels with inputs before outputs. */
  readonly inputsFirst?: RegExp;
  /** Names of kernels that are normalized there otherwise than here, or not here at all. */
  readonly normalizedAnew?: RegExp;
}

/** https://github.com/pclucas14/pixel-cnn-pp, for `pixelCNNPlusPlus` */
const pixelCnnPp: Repository = {
  // Its `up_layers` are our blocks on the way down, its `down_layers` our blocks on the way up, the coarsest first.
  names: [
    [/^stem_u\./, 'u_init.conv.'],
    [/^stem_ul_above\./, 'ul_init.0.conv.'],
    [/^stem_ul_left\./, 'ul_init.1.conv.'],
    [/^final_conv\./, 'nin_out.lin_a.'],
    [/^downsize(\d)_(ul?)\./, 'downsize_$2_stream.$1.conv.'],
    [/^upsize1_(ul?)\./, 'upsize_$1_stream.0.deconv.'],
    [/^upsize0_(ul?)\./, 'upsize_$1_stream.1.deconv.'],
    [/^down(\d)_(\d+)_(ul?)/, 'up_layers.$1.$3_stream.$2'],
    [/^up2_(\d+)_(ul?)/, 'down_layers.0.$2_stream.$1'],
    [/^up1_(\d+)_(ul?)/, 'down_layers.1.$2_stream.$1'],
    [/^up0_(\d+)_(ul?)/, 'down_layers.2.$2_stream.$1'],
    [/conv_in\./, 'conv_input.conv.'],
    [/conv_skip\./, 'nin_skip.lin_a.'],
    [/conv_out\./, 'conv_out.conv.'],
    [/kernel$/, 'weight_v'],
    [/gain$/, 'weight_g'],
  ],
  known: /_(?:init|out|stream)\..*(?:conv|lin_a)\.(?:weight_[vg]|bias)$/,
  linear: /\.lin_a\./,
  inputsFirst: /\.deconv\./,
  normalizedAnew: /\.deconv\./, // there by the weights of each input, here by those of each output
};

/** https://github.com/rosinality/vq-vae-2-pytorch, for `pixelSNAIL` */
const vqVae2: Repository = {
  names: [
    [/^final_conv\./, 'out.<out_res>.conv.'], // after the blocks, and an ELU
    [/^stem_above\./, 'horizontal.conv.conv.'],
    [/^stem_left\./, 'vertical.conv.conv.'],
    [/^codes_conv\./, 'cond_resnet.blocks.0.conv.'],
    [/^codes_res(\d+)/, 'cond_resnet.blocks.<$1>'],
    [/^out_res/, 'out.'],
    [/^block(\d+)_/, 'blocks.$1.'],
    [/\.attention/, '.causal_attention'],
    [/\.keys/, '.key_resblock'],
    [/\.queries/, '.query_resblock'],
    [/\.out\.(?=\w+$)/, '.out.conv.'], // without attention
    [/\.out\.conv_/, '.out_resblock.conv_'],
    [/\.res(\d+\.conv_\w+)/, '.resblocks.$1.conv'], // a causal convolution wraps one
    [/\.res(\d)/, '.resblocks.$1'],
    [/conv_in/, 'conv1.conv'],
    [/conv_skip/, 'aux_conv.conv'],
    [/conv_out/, 'conv2.conv'],
    [/condition\./, 'condition.conv.'],
    [/kernel$/, 'weight_v'],
    [/gain$/, 'weight_g'],
  ],
  known: /^(?:horizontal|vertical|cond_resnet|blocks|out)\..*\.(?:weight_[vg]|bias)$/,
  linear: /\.causal_attention\./,
  normalizedAnew: /\.condition\./,
};

/** Names of Image GPT's weights: ours, Hugging Face's, and those of teddykoker if they differ. */
const imageGPT: readonly (readonly [ours: RegExp, huggingFace: string, teddykoker?: string])[] = [
  [/^block/, 'transformer.h.', 'layers.'],
  [/norm(\d)/, 'ln_$1'],
  [/(query|key|value)\./, 'attn.c_attn.', 'attn.in_proj_'],
  [/projection/, 'attn.c_proj', 'attn.out_proj'],
  [/mlp_in/, 'mlp.c_fc', 'mlp.0'],
  [/mlp_out/, 'mlp.c_proj', 'mlp.2'],
  [/^levels/, 'transformer.wte', 'token_embeddings'],
  [/^shift\.start/, 'transformer.wte.weight', 'sos'],
  [/^places/, 'transformer.wpe', 'position_embeddings'],
  [/^norm/, 'transformer.ln_f', 'ln_f'],
  [/^final_conv/, 'lm_head', 'head'],
  [/(embeddings|gamma|kernel)$/, 'weight'],
  [/beta$/, 'bias'],
];
const notOfImageGPT = /\.attn\.(?:masked_)?bias$|^clf_head\.|^centroids$/; // masks, a classifier, the colours

/** By the names of their sources. */
export const repositories = {
  'pclucas14/pixel-cnn-pp': pixelCnnPp,
  'rosinality/vq-vae-2-pytorch': vqVae2,
  'openai/image-gpt': {
    names: imageGPT.map(([ours, theirs]) => [ours, theirs] as const),
    ignored: notOfImageGPT,
    inputsFirst: /^transformer\./,
  },
  'teddykoker/image-gpt': {
    names: imageGPT.map(([ours, huggingFace, theirs = huggingFace]) => [ours, theirs] as const),
    prefix: /^gpt\./,
    ignored: notOfImageGPT,
  },
} satisfies Readonly<Record<string, Repository>>;
