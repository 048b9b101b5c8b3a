import { type ConditionShape, type ConditionValues, conditionSize } from '../core/conditions';
import type { OutputSource } from './growing-images';

// With guidance a model evaluates each image in two rows: with its class, and without.

/** Checks that a model can be guided. */
export function checkNullClass(kinds: readonly ConditionShape[]): void {
  const classes = kinds.find((condition) => condition.kind === 'class');
  if (classes?.nullClass) return;
  const names = kinds.map(({ kind }) => kind).join(' and ');
  const got =
    classes !== undefined ? 'one without' : names === '' ? 'one without conditions' : `one by ${names}`;
  throw new TypeError(
    `sample: guidance: wanted a model of classes with a null class (nullClass: true), got ${got}`,
  );
}

/** The condition of each image, followed by the same without its class. */
export function withAndWithoutClass(
  condition: ConditionShape,
  { shape, values }: ConditionValues,
): ConditionValues {
  const size = conditionSize(shape);
  const both = new Float32Array(2 * values.length);
  for (let from = 0; from < values.length; from += size) {
    const one = values.subarray(from, from + size);
    both.set(one, 2 * from);
    both.set(condition.kind === 'class' ? [condition.numClasses] : one, 2 * from + size);
  }
  return { shape, values: both };
}

/** Images with their classes, and beside them the same without, from a source of the rows of both. */
export class GuidedSource implements OutputSource {
  /** The outputs of the images without their classes, [images, stride]. */
  readonly withoutClass: Float32Array;
  private readonly withClass: Float32Array;
  private readonly levels: Int32Array;
  private numActive: number;

  constructor(
    private readonly rows: OutputSource,
    numImages: number,
    private readonly stride: number,
  ) {
    this.withClass = new Float32Array(numImages * stride);
    this.withoutClass = new Float32Array(numImages * stride);
    this.levels = new Int32Array(2 * numImages);
    this.numActive = numImages;
  }

  beginRow(row: number): Iterable<void> {
    return this.rows.beginRow?.(row) ?? [];
  }

  outputs(row: number, column: number, channel: number): Float32Array | Promise<Float32Array> {
    const outputs = this.rows.outputs(row, column, channel);
    return outputs instanceof Float32Array ? this.apart(outputs) : outputs.then((all) => this.apart(all));
  }

  private apart(outputs: Float32Array): Float32Array {
    const { withClass, withoutClass, stride } = this;
    for (let i = 0; i < this.numActive; i++) {
      const middle = (2 * i + 1) * stride;
      withClass.set(outputs.subarray(middle - stride, middle), i * stride);
      withoutClass.set(outputs.subarray(middle, middle + stride), i * stride);
    }
    return withClass;
  }

  put(row: number, column: number, channel: number, levels: ArrayLike<number>): void {
    for (let i = 0; i < this.numActive; i++) this.levels.fill(levels[i] as number, 2 * i, 2 * i + 2);
    this.rows.put(row, column, channel, this.levels);
  }

  release(): void {
    this.rows.release?.();
  }

  evaluateFirst(numImages: number): void {
    this.numActive = numImages;
    this.rows.evaluateFirst(2 * numImages);
  }

  copy(from: Int32Array): void {
    const rowsFrom = new Int32Array(2 * from.length);
    for (const [to, image] of from.entries()) rowsFrom.set([2 * image, 2 * image + 1], 2 * to);
    this.rows.copy(rowsFrom);
  }
}
