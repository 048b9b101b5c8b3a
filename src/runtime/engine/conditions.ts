import type { ConditionValues } from '../core/conditions';
import { ONCE, ROW } from '../program/times';
import type { ProgramIO } from './compile';
import type { Machine } from './machine';

/** The values of a condition for all images: a vector for every pixel, [K], or a map, [h,w,K]. */
export interface GivenCondition extends ConditionValues {
  /** How many rows and columns of the image each place of the map covers. @default one of each */
  readonly enlarged?: readonly [rows: number, columns: number];
}

export function finish(parts: Iterable<void>): void {
  for (const _ of parts);
}

/** The number of columns between pauses. */
const COLUMNS = 4096;

/**
 * Computes all that is due before the first pixel of a row, in parts, so that other work can run in between. First writes
 * the conditions of all images: vectors before the first row, and each row of maps, or zeros below the last.
 */
export function* beginRow(
  machine: Machine,
  { conditions }: Pick<ProgramIO, 'conditions'>,
  given: readonly GivenCondition[],
  /** The index of each image's conditions. */
  conditionOf: Int32Array,
  row: number,
): Generator<void> {
  const { heap, active, plan } = machine;
  machine.moveTo(row, 0);
  for (const { index, to: operand } of conditions) {
    const { shape, values, enlarged: [rows, columns] = [1, 1] } = given[index] as GivenCondition;
    const isMap = shape.length > 1; // [h,w,K]
    if (!isMap && row > 0) continue;
    const [height, mapWidth, size] = (isMap ? shape : [1, 1, ...shape]) as [number, number, number];
    const { stride, columnStride = 0 } = operand;
    const mapRow = Math.floor(row / rows);
    for (const { first, images, at } of active) {
      for (let n = 0; n < images; n++) {
        const start = ((conditionOf[first + n] as number) * height + mapRow) * mapWidth;
        const to = at(operand) + n * stride;
        for (let column = 0; column < (isMap ? plan.width : 1); column++) {
          const from = (start + Math.floor(column / columns)) * size;
          const pixel = to + column * columnStride;
          if (mapRow < height) heap.set(values.subarray(from, from + size), pixel);
          else heap.fill(0, pixel, pixel + size);
          if (column % COLUMNS === COLUMNS - 1) yield;
        }
      }
    }
  }
  if (row === 0) machine.run(ONCE);
  yield* machine.rowInParts(ROW);
}
