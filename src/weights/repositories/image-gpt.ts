import { type ModelWeight, type Origin, permuted } from '../model-weights';
import { type Renaming, translated } from '../weight-norm';

// The names of Image GPT's weights in two programs.

/** How a program names and lays out the weights. */
interface Layout {
  readonly renaming: Renaming;
  /** Its names of all weights of the network. */
  readonly known: RegExp;
  /** Whether kernels of blocks are [in,out], not [out,in], and the start token is one more row of the levels' table. */
  readonly isOpenAI: boolean;
}

const roles: Renaming = [
  [/(gamma|kernel)$/, 'weight'],
  [/beta$/, 'bias'],
  [/\.norm(\d)/, '.ln_$1'],
];

/** Hugging Face transformers: `ImageGPTForCausalImageModeling`. */
export const openAI: Layout = {
  renaming: [
    ...roles,
    [/^block(\d+)/, 'transformer.h.$1'],
    [/query|key|value/, 'attn.c_attn'],
    [/projection/, 'attn.c_proj'],
    [/mlp_in/, 'mlp.c_fc'],
    [/mlp_out/, 'mlp.c_proj'],
    [/^norm/, 'transformer.ln_f'],
    [/^(levels\.embeddings|shift\.start)/, 'transformer.wte.weight'],
    [/places\.embeddings/, 'transformer.wpe.weight'],
    [/^final_conv/, 'lm_head'],
  ],
  known: /^(transformer|lm_head)\./,
  isOpenAI: true,
};

/** https://github.com/teddykoker/image-gpt: `GPT2`. */
export const teddykoker: Layout = {
  renaming: [
    ...roles,
    [/^block(\d+)/, 'layers.$1'],
    [/(query|key|value)\./, 'attn.in_proj_'],
    [/projection/, 'attn.out_proj'],
    [/mlp_in/, 'mlp.0'],
    [/mlp_out/, 'mlp.2'],
    [/^norm/, 'ln_f'],
    [/levels\.embeddings/, 'token_embeddings.weight'],
    [/shift\.start/, 'sos'],
    [/places\.embeddings/, 'position_embeddings.weight'],
    [/^final_conv/, 'head'],
  ],
  known: /^(layers|ln_f|token_embeddings|sos|position_embeddings|head)/,
  isOpenAI: false,
};

/** Finds the tensors that a weight of `imageGPT` is computed from; null for other weights. */
export const imageGPT =
  ({ renaming, known, isOpenAI }: Layout) =>
  (weight: ModelWeight, all: readonly ModelWeight[]): Origin | null => {
    const { layer, part, role, shape } = weight;
    const name = translated(weight.name, renaming, known);
    if (name === null) return null;
    const features = shape.at(-1) as number;
    const whole = (shape: readonly number[]): Origin => ({
      parts: [{ name, shape }],
      make: (numbers) => numbers,
    });
    /** A kernel [in,out]. */
    const kernel = (featuresIn: number, featuresOut: number): Origin => {
      if (isOpenAI && layer !== 'final_conv') return whole([featuresIn, featuresOut]);
      const turned = [featuresOut, featuresIn];
      return { ...whole(turned), make: (numbers) => permuted(numbers, turned, [1, 0]) }; // [out,in] -> [in,out]
    };
    const index = [/query/, 'key', 'value'].indexOf(part);
    if (index >= 0) {
      // Side by side: a kernel [in,3F], a bias [3F].
      const columns = 3 * features;
      const { parts, make } = role === 'kernel' ? kernel(features, columns) : whole([columns]);
      const isPart = (_: number, i: number) => Math.floor((i % columns) / features) === index;
      return { parts, make: (numbers) => make(numbers).filter(isPart) };
    }
    if (role === 'kernel') return kernel(shape.at(-2) as number, features);
    if (layer === 'places') return whole([shape.slice(0, 2).reduce((h, w) => h * w), features]); // [H,W,F] -> [H*W,F]
    if (!isOpenAI || (layer !== 'levels' && layer !== 'shift')) return whole(shape);
    const size = (all.find((one) => one.layer === 'levels')?.shape[0] as number) * features;
    const make = (table: Float32Array) => (layer === 'shift' ? table.slice(size) : table.slice(0, size));
    return { ...whole([size / features + 1, features]), make };
  };
