import { sizeFromShape } from '../../core/check';
import { type ModelWeight, type Origin, permuted } from '../model-weights';

// The names of Image GPT's weights in two programs: Hugging Face transformers' `ImageGPTForCausalImageModeling`,
// and `GPT2` of https://github.com/teddykoker/image-gpt.

const HUGGING_FACE = 1;
const TEDDYKOKER = 2;

/** What turns this library's names into those of either program, or of both, one replacement after the other. */
const renaming: readonly (readonly [ours: RegExp, huggingFace: string, teddykoker?: string])[] = [
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

/** Finds the tensors that a weight of `imageGPT` is computed from. Those of other networks have names that no file has. */
const imageGPT =
  (program: typeof HUGGING_FACE | typeof TEDDYKOKER) =>
  ({ name, layer, part, role, shape }: ModelWeight, all: readonly ModelWeight[]): Origin => {
    const theirs = renaming.reduce((old, names) => old.replace(names[0], names[program] ?? names[1]), name);
    const isKernel = role === 'kernel';
    const isOfLevels = program === HUGGING_FACE && /levels|shift/.test(layer); // in one table, the start token last
    // A weight is rows of a tensor: kernels are [out,in], tables [levels,F] and [H*W,F], all others numbers.
    const isTable = isOfLevels || role === 'embeddings';
    const columns = (isKernel ? shape.at(-2) : isTable ? shape.at(-1) : 1) as number;
    const ours = sizeFromShape(shape) / columns;
    const ofThree = ['query', 'key', 'value'].indexOf(part); // side by side
    const levels = all.find((one) => one.layer === 'levels')?.shape[0] as number;
    const rows = isOfLevels ? levels + 1 : ofThree < 0 ? ours : 3 * ours;
    const first = isOfLevels && layer === 'shift' ? levels : Math.max(0, ofThree) * ours;
    const isTurned = isKernel && program === HUGGING_FACE && layer !== 'final_conv'; // [in,out] there
    const matrix = isTurned ? [columns, rows] : [rows, columns];
    return {
      parts: [{ name: theirs, shape: isKernel || isTable ? matrix : [rows] }],
      make(numbers) {
        const byRow = isTurned ? permuted(numbers, matrix, [1, 0]) : numbers;
        const own = byRow.slice(first * columns, (first + ours) * columns);
        return isKernel ? permuted(own, [ours, columns], [1, 0]) : own; // [out,in] -> [in,out]
      },
    };
  };

export const openAI = /* @__PURE__ */ imageGPT(HUGGING_FACE);
export const teddykoker = /* @__PURE__ */ imageGPT(TEDDYKOKER);
