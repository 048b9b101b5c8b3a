import { Word } from '../encoding';
import { floats, parameter, word } from './instruction';
import { storeFirst, V } from './vector';

/** y = max(b + the rows that the numbers at a refer to, lowerBound), in blocks that fit into registers. */
export function addRows(at: usize, y: usize, a: usize, b: usize): void {
  const stride = floats(at, Word.weightStride), next = word(at, Word.rows) * stride;
  const inputs = floats(at, Word.inputs), bytes = floats(at, Word.length);
  const span = floats(at, Word.span), gap = floats(at, Word.gap);
  const bound = f32x4.splat(<f32>parameter(at));
  let w = floats(at, Word.weights) - stride; // numbers count from 1
  let o: usize = 0;
  for (; o + 4 * V <= bytes; o += 4 * V) {
    let y0 = v128.load(b + o), y1 = v128.load(b + o, 16), y2 = v128.load(b + o, 32), y3 = v128.load(b + o, 48);
    for (let i = a, first = w + o, left = inputs; left > 0; i += gap) {
      const end = i + min(span, left);
      left -= end - i;
      for (; i < end; i += 4, first += next) {
        const number = load<f32>(i);
        if (number == 0) continue;
        const row = first + <usize>number * stride;
        y0 = f32x4.add(y0, v128.load(row));
        y1 = f32x4.add(y1, v128.load(row, 16));
        y2 = f32x4.add(y2, v128.load(row, 32));
        y3 = f32x4.add(y3, v128.load(row, 48));
      }
    }
    v128.store(y + o, f32x4.pmax(y0, bound));
    v128.store(y + o, f32x4.pmax(y1, bound), 16);
    v128.store(y + o, f32x4.pmax(y2, bound), 32);
    v128.store(y + o, f32x4.pmax(y3, bound), 48);
  }
  for (; o < bytes; o += V) { // the last vector may extend beyond the rows, to numbers that are not stored
    let sum = v128.load(b + o);
    for (let i = a, first = w + o, left = inputs; left > 0; i += gap) {
      const end = i + min(span, left);
      left -= end - i;
      for (; i < end; i += 4, first += next) {
        const number = load<f32>(i);
        if (number != 0) sum = f32x4.add(sum, v128.load(first + <usize>number * stride));
      }
    }
    storeFirst(y + o, f32x4.pmax(sum, bound), bytes - o);
  }
}
