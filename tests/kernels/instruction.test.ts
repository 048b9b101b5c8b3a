import { describe, expect, it } from 'vitest';
import { encode, INSTRUCTION_WORDS, type Instruction, Op } from '../../src/kernels/instruction';

const operand = (base: number, offset: number, stride: number) => ({ base, offset, stride });

/**
 * The words of an instruction written in the midst of a heap that begins within its buffer; the rest must
 * stay.
 */
function encoded(instruction: Instruction): { words: number[]; floats: number[] } {
  const buffer = new ArrayBuffer(4 * 60);
  const heap = new Float32Array(buffer, 4 * 3).fill(9);
  encode(heap, 20, instruction);
  expect([...heap.subarray(0, 20), ...heap.subarray(20 + INSTRUCTION_WORDS)].every((x) => x === 9)).toBe(
    true,
  );
  const words = Array.from(new Int32Array(buffer, 4 * 23, INSTRUCTION_WORDS));
  return { words, floats: Array.from(heap.subarray(20, 20 + INSTRUCTION_WORDS)) };
}

describe('encode', () => {
  it('writes op, operands, length and weights as integers, least as a float', () => {
    const { words, floats } = encoded({
      op: Op.product,
      y: operand(1, 2, 3),
      a: operand(4, -5, 6),
      b: operand(7, 8, 0),
      length: 12,
      weights: 2 ** 30,
      weightStride: 16,
      inputs: 10,
      least: Number.NEGATIVE_INFINITY,
    });
    expect(words.slice(0, 14)).toEqual([0, 1, 2, 3, 4, -5, 6, 7, 8, 0, 12, 2 ** 30, 16, 10]);
    expect(floats[14]).toBe(Number.NEGATIVE_INFINITY);
  });

  it('writes columns, and the strides from one to the next, behind', () => {
    const side = (columnStride: number) => ({ ...operand(1, 0, 4), columnStride });
    const { words } = encoded({ op: Op.gate, y: side(8), a: side(16), b: side(0), length: 3, columns: 5 });
    expect(words.slice(10, 19)).toEqual([3, 0, 0, 0, 0, 5, 8, 16, 0]);
  });

  it('has b as a, and zeros, where an instruction has none', () => {
    const { words, floats } = encoded({ op: Op.tanh, y: operand(1, 0, 4), a: operand(2, 3, 8), length: 4 });
    expect(words.slice(0, 14)).toEqual([6, 1, 0, 4, 2, 3, 8, 2, 3, 8, 4, 0, 0, 0]);
    expect(floats[14]).toBe(0);
  });

  it('tells the operations apart', () => {
    const codes = Object.values(Op).map((op) => encoded({ op, y: operand(0, 0, 0), a: operand(0, 0, 0), length: 4 }).words[0]); // biome-ignore format: one line
    expect(new Set(codes).size).toBe(8);
  });
});
