import { sizeFromShape } from '../core/check';
import type { ConditionShape, ConditionValues } from '../core/conditions';

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
