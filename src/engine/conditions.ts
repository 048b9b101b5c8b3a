import { conditionSize } from '../core/conditions';
import type { Operand } from '../kernels/instruction';
import type { ProgramIO } from './compile';
import type { Machine } from './machine';

/** The values of a condition for all images: the same numbers at every pixel, or a map. */
export interface GivenCondition {
  /** [K] of one image, or [h,w,K]. */
  readonly shape: readonly number[];
  /** The numbers, image by image. */
  readonly values: Float32Array;
  /** How many rows and columns of the image each place of the map covers. @default one of each */
  readonly enlarged?: readonly [rows: number, columns: number];
}

/**
 * Writes the conditions of all images: vectors with the first row, and of maps the row that is about to start; in parts,
 * after each of which other work may be done.
 */
export function* putConditions(
  machine: Machine,
  { conditions }: Pick<ProgramIO, 'conditions'>,
  given: readonly GivenCondition[],
  /** Whose conditions each image has. */
  conditionOf: Int32Array,
  row: number,
): Generator<void> {
  for (const { index, to } of conditions) {
    const condition = given[index] as GivenCondition;
    const isMap = condition.shape.length > 1; // [h,w,K]
    if (isMap) yield* putRow(machine, condition, to, conditionOf, row);
    else if (row === 0) putVector(machine, condition, to, conditionOf);
  }
}

function putVector(
  { heap, chunks }: Machine,
  { shape, values }: GivenCondition,
  operand: Operand,
  conditionOf: Int32Array,
): void {
  const size = conditionSize(shape);
  for (const { first, images, at } of chunks) {
    for (let n = 0; n < images; n++) {
      const from = (conditionOf[first + n] as number) * size;
      heap.set(values.subarray(from, from + size), at(operand) + n * operand.stride);
    }
  }
}

/** After how many columns there may be a pause. */
const PUT = 4096;

/** Writes a row of each image's map; zeros below the last row. */
function* putRow(
  { heap, chunks, width }: Machine,
  { shape, values, enlarged: [rows, columns] = [1, 1] }: GivenCondition,
  operand: Operand,
  conditionOf: Int32Array,
  row: number,
): Generator<void> {
  const [height, mapWidth, size] = shape as [number, number, number];
  const { stride, columnStride = 0 } = operand;
  const mapRow = Math.floor(row / rows);
  for (const { first, images, at } of chunks) {
    for (let n = 0; n < images; n++) {
      const start = ((conditionOf[first + n] as number) * height + mapRow) * mapWidth;
      const to = at(operand) + n * stride;
      for (let column = 0; column < width; column++) {
        const from = (start + Math.floor(column / columns)) * size;
        const pixel = to + column * columnStride;
        if (mapRow < height) heap.set(values.subarray(from, from + size), pixel);
        else heap.fill(0, pixel, pixel + size);
        if (column % PUT === PUT - 1) yield;
      }
    }
  }
}
