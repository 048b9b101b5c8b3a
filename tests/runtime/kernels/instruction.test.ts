import { describe, expect, it } from 'vitest';
import { encode, INSTRUCTION_WORDS, type Instruction, OPS, Word } from '../../../src/runtime/kernels/instruction';

const operand = (base: number, offset: number, stride: number) => ({ base, offset, stride });

/** The words of an instruction written in the midst of a heap that begins within its buffer; the rest must stay. */
function encoded(instruction: Instruction): { words: number[]; parameter: number } {
  const buffer = new ArrayBuffer(4 * 60);
  const heap = new Float32Array(buffer, 4 * 3).fill(9);
  encode(heap, 20, instruction);
  expect([...heap.subarray(0, 20), ...heap.subarray(20 + INSTRUCTION_WORDS)].every((x) => x === 9)).toBe(true);
  const words = Array.from(new Int32Array(buffer, 4 * 23, INSTRUCTION_WORDS));
  return { words, parameter: new DataView(buffer).getFloat64(4 * (23 + Word.parameter), true) };
}

/** The words of an operand: base, offset, stride, column stride. */
const at = (words: number[], first: number) => words.slice(first, first + 4);

describe('encode', () => {
  it('writes op, operands, length and weights as integers, the parameter as a float64', () => {
    const { words, parameter } = encoded({
      op: 'product',
      y: { ...operand(1, 2, 3), columnStride: 20 },
      a: { ...operand(4, -5, 6), columnStride: 21 },
      b: operand(7, 8, 0),
      c: operand(9, 10, 11),
      ...{ length: 12, columns: 13, weights: 2 ** 30, weightStride: 16, inputs: 10, rows: 7, parameter: 0.1 },
    });
    expect(words[Word.op]).toBe(OPS.indexOf('product'));
    expect([Word.y, Word.a, Word.b, Word.c].flatMap((first) => at(words, first))).toEqual([
      1, 2, 3, 20, 4, -5, 6, 21, 7, 8, 0, 0, 9, 10, 11, 0,
    ]);
    const { length, columns, weights, weightStride, inputs, rows } = Word;
    expect([length, columns, weights, weightStride, inputs, rows].map((word) => words[word])).toEqual([12, 13, 2 ** 30, 16, 10, 7]);
    expect(parameter).toBe(0.1);
  });

  it('uses a for missing b and c, and zeros for other missing words', () => {
    const { words, parameter } = encoded({ op: 'tanh', y: operand(1, 0, 4), a: operand(2, 3, 8), length: 4 });
    expect(words[Word.op]).toBe(OPS.indexOf('tanh'));
    for (const first of [Word.b, Word.c]) expect(at(words, first)).toEqual([2, 3, 8, 0]);
    expect(words.slice(Word.columns, Word.parameter)).toEqual([0, 0, 0, 0]);
    expect(parameter).toBe(0);
  });

  it('has a word for each of its parts', () => {
    const { y, a, b, c, parameter } = Word;
    const others = [Word.op, Word.length, Word.columns, Word.weights, Word.weightStride, Word.inputs, Word.rows, Word.span, Word.gap];
    const words = [...others, ...[parameter, parameter + 1], ...[y, a, b, c].flatMap((first) => at([...Array(99).keys()], first))];
    expect(words.sort((i, j) => i - j)).toEqual([...Array(INSTRUCTION_WORDS).keys()]);
  });
});
