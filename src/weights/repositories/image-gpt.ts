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
  ({ name, layer, part, role, shape }: ModelWeight, all: readonly ModelWeight[]): Origin | null => {
    if (!/^(block\d+|levels|shift|places\.embeddings|norm|final_conv)\b/.test(name)) return null;
    const theirs = renaming.reduce((old, names) => old.replace(names[0], names[program]), name);
    const isKernel = role === 'kernel';
    const isTable = layer === 'levels' || (layer === 'shift' && program === HUGGING_FACE);
    // A weight is rows of a tensor: kernels are [out,in], tables [levels,F] and [H*W,F], all others numbers.
    const columns = (isKernel ? shape.at(-2) : isTable || layer === 'places' ? shape.at(-1) : 1) as number;
    const ours = shape.reduce((a, b) => a * b) / columns;
    let [rows, first] = [ours, 0];
    const index = ['query', 'key', 'value'].indexOf(part);
    if (index >= 0) [rows, first] = [3 * ours, index * ours]; // side by side
    if (isTable && program === HUGGING_FACE) {
      rows = (all.find((one) => one.layer === 'levels')?.shape[0] as number) + 1; // the last is the start token
      first = layer === 'shift' ? rows - 1 : 0;
    }
    const isTurned = isKernel && (program === TEDDYKOKER || layer === 'final_conv'); // else kernels are [in,out] there
    const matrix = isKernel && !isTurned ? [columns, rows] : [rows, columns];
    return {
      parts: [{ name: theirs, shape: columns > 1 || isTable || isKernel ? matrix : [rows] }],
      make(numbers) {
        const byRow = isKernel && !isTurned ? permuted(numbers, matrix, [1, 0]) : numbers;
        const own = byRow.slice(first * columns, (first + ours) * columns);
        return isKernel ? permuted(own, [ours, columns], [1, 0]) : own; // [out,in] -> [in,out]
      },
    };
  };

export const openAI = /* @__PURE__ */ imageGPT(HUGGING_FACE);
export const teddykoker = /* @__PURE__ */ imageGPT(TEDDYKOKER);
