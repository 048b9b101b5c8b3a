import { type ModelWeight, type Origin, permuted } from '../model-weights';

// The names of Image GPT's weights in two programs: Hugging Face transformers' `ImageGPTForCausalImageModeling`,
// and `GPT2` of https://github.com/teddykoker/image-gpt.

const HUGGING_FACE = 1;
const TEDDYKOKER = 2;

/** What turns this library's names into those of either program, one replacement after the other. */
const renaming: readonly (readonly [ours: RegExp, huggingFace: string, teddykoker: string])[] = [
  [/^block/, 'transformer.h.', 'layers.'],
  [/norm(\d)/, 'ln_$1', 'ln_$1'],
  [/(query|key|value)\./, 'attn.c_attn.', 'attn.in_proj_'],
  [/projection/, 'attn.c_proj', 'attn.out_proj'],
  [/mlp_in/, 'mlp.c_fc', 'mlp.0'],
  [/mlp_out/, 'mlp.c_proj', 'mlp.2'],
  [/^levels/, 'transformer.wte', 'token_embeddings'],
  [/^shift\.start/, 'transformer.wte.weight', 'sos'],
  [/^places/, 'transformer.wpe', 'position_embeddings'],
  [/^norm/, 'transformer.ln_f', 'ln_f'],
  [/^final_conv/, 'lm_head', 'head'],
  [/(embeddings|gamma|kernel)$/, 'weight', 'weight'],
  [/beta$/, 'bias', 'bias'],
];

/** Finds the tensors that a weight of `imageGPT` is computed from; null for other weights. */
const imageGPT =
  (program: typeof HUGGING_FACE | typeof TEDDYKOKER) =>
  (weight: ModelWeight, all: readonly ModelWeight[]): Origin | null => {
    const { layer, part, role, shape } = weight;
    if (!/^(block\d+|levels|shift|places\.embeddings|norm|final_conv)\b/.test(weight.name)) return null;
    const name = renaming.reduce((old, names) => old.replace(names[0], names[program]), weight.name);
    const features = shape.at(-1) as number;
    const whole = (shape: readonly number[]): Origin => ({
      parts: [{ name, shape }],
      make: (numbers) => numbers,
    });
    /** A kernel [in,out]. */
    const kernel = (featuresIn: number, featuresOut: number): Origin => {
      if (program === HUGGING_FACE && layer !== 'final_conv') return whole([featuresIn, featuresOut]);
      const turned = [featuresOut, featuresIn];
      return { ...whole(turned), make: (numbers) => permuted(numbers, turned, [1, 0]) }; // [out,in] -> [in,out]
    };
    const index = ['query', 'key', 'value'].indexOf(part);
    if (index >= 0) {
      // Side by side: a kernel [in,3F], a bias [3F].
      const columns = 3 * features;
      const { parts, make } = role === 'kernel' ? kernel(features, columns) : whole([columns]);
      const isPart = (_: number, i: number) => Math.floor((i % columns) / features) === index;
      return { parts, make: (numbers) => make(numbers).filter(isPart) };
    }
    if (role === 'kernel') return kernel(shape.at(-2) as number, features);
    if (layer === 'places') return whole([shape.slice(0, 2).reduce((h, w) => h * w), features]); // [H,W,F] -> [H*W,F]
    if (program === TEDDYKOKER || (layer !== 'levels' && layer !== 'shift')) return whole(shape);
    // The start token is the last row of the table of levels.
    const size = (all.find((one) => one.layer === 'levels')?.shape[0] as number) * features;
    const make = (table: Float32Array) => (layer === 'shift' ? table.slice(size) : table.slice(0, size));
    return { ...whole([size / features + 1, features]), make };
  };

export const openAI = /* @__PURE__ */ imageGPT(HUGGING_FACE);
export const teddykoker = /* @__PURE__ */ imageGPT(TEDDYKOKER);
