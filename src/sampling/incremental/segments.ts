import { encode, INSTRUCTION_WORDS, type Instruction } from '../../kernels/instruction';
import type { Action } from './plan';

/** Instructions that follow each other, [start, end) of the heap, or what is done in JavaScript. */
export type Segment = { readonly start: number; end: number } | Action;

/** Writes the instructions of each step into the heap, from `start` on. */
export function encodeSteps(
  heap: Float32Array,
  start: number,
  steps: readonly (readonly (Instruction | Action)[])[],
): Segment[][] {
  let end = start;
  return steps.map((items) => {
    const segments: Segment[] = [];
    for (const item of items) {
      if (typeof item === 'function') segments.push(item);
      else {
        encode(heap, end, item);
        append(segments, end, end + INSTRUCTION_WORDS);
        end += INSTRUCTION_WORDS;
      }
    }
    return segments;
  });
}

/** Instructions [start, end), as part of the last segment where they go on with it. */
function append(segments: Segment[], start: number, end: number): void {
  const last = segments.at(-1);
  if (typeof last === 'object') last.end = end;
  else segments.push({ start, end });
}
