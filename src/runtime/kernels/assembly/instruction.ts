import { INSTRUCTION_WORDS, Word } from '../encoding';

// Reads instructions.

export const INSTRUCTION: usize = 4 * INSTRUCTION_WORDS;

/** The positions of an operand's words after its base. */
const OFFSET = 1;
export const STRIDE = 2, COLUMN_STRIDE = 3;

@inline
export function word(at: usize, index: i32): usize {
  return load<u32>(at + (<usize>index << 2));
}

/** A word that counts floats, in bytes. */
@inline
export function floats(at: usize, index: i32): usize {
  return word(at, index) << 2;
}

@inline
export function parameter(at: usize): f64 {
  return load<f64>(at + (<usize>Word.parameter << 2));
}

/** The address of an operand for the first image. */
@inline
export function addressOf(at: usize, operand: i32, bases: usize): usize {
  return (word(bases + (word(at, operand) << 2), 0) + word(at, operand + OFFSET)) << 2;
}

/** The address of an operand for an image and a column. */
@inline
export function placeOf(at: usize, operand: i32, bases: usize, image: usize, column: usize): usize {
  return addressOf(at, operand, bases) + image * floats(at, operand + STRIDE) + column * floats(at, operand + COLUMN_STRIDE);
}
