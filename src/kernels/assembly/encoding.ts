// How an instruction is encoded: `Word` of ../instruction.ts, in bytes.

/** An operand: its base and offset, then stride and column stride. */
export const Y: usize = 4, A: usize = 20, B: usize = 36, STRIDE: usize = 8, COLUMN_STRIDE: usize = 12;
export const LENGTH: usize = 52, COLUMNS: usize = 56;
export const WEIGHTS: usize = 60, WEIGHT_STRIDE: usize = 64, INPUTS: usize = 68, PARAMETER: usize = 72;
export const ROWS: usize = 80, C: usize = 84;
export const INSTRUCTION: usize = 100;

/** A word that counts floats, in bytes. */
// @ts-ignore: decorator
@inline
export function floats(word: usize): usize {
  return load<u32>(word) << 2;
}

/** The address of an operand: a base and an offset, two words. */
// @ts-ignore: decorator
@inline
export function operand(words: usize, bases: usize): usize {
  return (load<u32>(bases + (load<u32>(words) << 2)) + load<u32>(words, 4)) << 2;
}
