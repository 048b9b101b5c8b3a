import { sizeFromShape } from '../core/check';
import type { ConditionShape, ConditionValues } from '../core/conditions';
import type { OutputSource } from './growing-images';

// With guidance, a model evaluates each image in two rows, with its class and without.

/** Checks that a model can be guided. */
export function checkNullClass(kinds: readonly ConditionShape[]): void {
  const classes = kinds.find((condition) => condition.kind === 'class');
  if (classes?.nullClass) return;
  const names = kinds.map(({ kind }) => kind).join(' and ');
  let got = names === '' ? 'one without conditions' : `one by ${names}`;
  if (classes) got = 'one without';
  const wanted = 'a model of classes with a null class (nullClass: true)';
  throw new TypeError(`sample: guidance: wanted ${wanted}, got ${got}`);
}

/** Repeats each image's condition, the second time without its class. */
export function withAndWithoutClass(
  condition: ConditionShape,
  { shape, values }: ConditionValues,
): ConditionValues {
  const size = sizeFromShape(shape);
  const both = new Float32Array(2 * values.length);
  for (let from = 0; from < values.length; from += size) {
    const one = values.subarray(from, from + size);
    both.set(one, 2 * from);
    both.set(condition.kind === 'class' ? [condition.numClasses] : one, 2 * from + size);
  }
  return { shape, values: both };
}

/** Wraps a source of both rows of each image as a source of the images with their classes. */
export function guidedSource(
  rows: OutputSource,
  numImages: number,
  stride: number,
): OutputSource & { readonly withoutClass: Float32Array } {
  const withClass = new Float32Array(numImages * stride);
  const withoutClass = new Float32Array(numImages * stride);
  const ofRows = new Int32Array(2 * numImages);
  let numActive = numImages;
  const apart = (outputs: Float32Array): Float32Array => {
    for (let i = 0; i < numActive; i++) {
      const middle = (2 * i + 1) * stride;
      withClass.set(outputs.subarray(middle - stride, middle), i * stride);
      withoutClass.set(outputs.subarray(middle, middle + stride), i * stride);
    }
    return withClass.subarray(0, numActive * stride);
  };
  return {
    /** The outputs of the images without their classes, [images, stride]. */
    withoutClass,
    beginRow: (row) => rows.beginRow?.(row) ?? [],
    outputs(...place) {
      const outputs = rows.outputs(...place);
      return outputs instanceof Float32Array ? apart(outputs) : outputs.then(apart);
    },
    put(row, column, channel, levels) {
      for (let i = 0; i < numActive; i++) ofRows.fill(levels[i] as number, 2 * i, 2 * i + 2);
      rows.put(row, column, channel, ofRows);
    },
    release: () => rows.release?.(),
    evaluateFirst(count) {
      numActive = count;
      rows.evaluateFirst(2 * count);
    },
    copy(from) {
      rows.copy(Int32Array.from(ofRows, (_, row) => 2 * (from[row >> 1] as number) + (row & 1)));
    },
  };
}
