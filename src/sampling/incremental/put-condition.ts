import type { ConditionValues } from '../../image-model/conditions';
import type { Operand } from '../../kernels/instruction';
import type { Machine } from './machine';

/**
 * Writes the conditions of all images to an operand: vectors with the first row, of maps the row that begins.
 * The machine stands at the first pixel of that row.
 */
export function putCondition(
  { heap, chunks, width }: Machine,
  operand: Operand,
  { shape, values }: ConditionValues,
  row: number,
): void {
  const isMap = shape.length > 1; // [H,W,K]
  if (!isMap && row > 0) return;
  const { stride, columnStride = 0 } = operand;
  const size = shape.at(-1) as number;
  const columns = isMap ? width : 1;
  const rowStart = isMap ? row * width * size : 0;
  const imageSize = shape.reduce((product, length) => product * length, 1);
  for (const { first, images, at } of chunks) {
    const to = at(operand);
    for (let n = 0; n < images; n++) {
      for (let column = 0; column < columns; column++) {
        const from = (first + n) * imageSize + rowStart + column * size;
        heap.set(values.subarray(from, from + size), to + n * stride + column * columnStride);
      }
    }
  }
}
