import { reshape, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { checkInteger, wrong } from '../check';
import type { ConditionShape } from './condition-shape';

/**
 * What images are conditioned on: classes [N] or [N,1], vectors [N,K] or maps [N,H,W,K], as the model takes
 * them; a class may also be a number, the same for all images, or there may be an array of one an image.
 */
export type Condition = Tensor | number | readonly number[];

/** The conditions of some images, on the host. */
export interface ConditionValues {
  /** [1], [K] or [H,W,K], of one image. */
  readonly shape: readonly number[];
  /** One image after the other. */
  readonly values: Float32Array;
}

/** The condition of one image of the given height and width, as a shape. */
function shapeOfOne(condition: ConditionShape, [height, width]: readonly number[]): number[] {
  if (condition.kind === 'class') return [1];
  return condition.kind === 'vector' ? [condition.size] : [height as number, width as number, condition.size];
}

function wordsFor(condition: ConditionShape, of: readonly number[], numImages: number): string {
  return condition.kind === 'class'
    ? `a class from 0 to ${condition.numClasses - 1}, or ${numImages} of them`
    : `numbers of shape [${[numImages, ...of]}]`;
}

/** Checks that classes are such, and that the numbers of vectors and maps are finite. */
export function checkValues(what: string, condition: ConditionShape | null, values: Iterable<number>): void {
  for (const value of values) {
    if (condition?.kind === 'class') checkInteger(what, value, 0, condition.numClasses - 1);
    else if (!Number.isFinite(value)) wrong(what, 'finite numbers', value);
  }
}

/** A condition that does not fit, as messages show it. */
const described = (given: unknown) => (given as Tensor | undefined)?.shape ?? given;

/**
 * Reads what the caller gave as the condition of so many images, and checks it; null where the model takes
 * none.
 *
 * @throws TypeError, named `what`, where the model takes one and none came, or the other way round, or it
 * does not fit
 */
export async function readCondition(
  what: string,
  condition: ConditionShape | null,
  given: Condition | undefined,
  numImages: number,
  imageShape: readonly number[],
): Promise<ConditionValues | null> {
  if (condition === null) {
    return given === undefined ? null : wrong(what, 'none, since the model takes no condition', given);
  }
  const shape = shapeOfOne(condition, imageShape);
  const wanted = wordsFor(condition, shape, numImages);
  const classes = condition.kind === 'class' ? numbersOfClasses(given, numImages) : null;
  if (classes === null && !isTensorOf(given, condition, shape, numImages)) {
    wrong(what, wanted, described(given));
  }
  const values = classes ?? (await (given as Tensor).data());
  checkValues(what, condition, values);
  return { shape, values: Float32Array.from(values) };
}

/** Classes given as numbers, one an image; null where they are not. */
function numbersOfClasses(given: Condition | undefined, numImages: number): number[] | null {
  if (typeof given === 'number') return new Array<number>(numImages).fill(given);
  return Array.isArray(given) && given.length === numImages ? given : null;
}

/** Whether what is given is a tensor [N, ...shape], or of classes [N]. */
function isTensorOf(
  given: Condition | undefined,
  { kind }: ConditionShape,
  shape: readonly number[],
  numImages: number,
): given is Tensor {
  const has = (wanted: readonly number[]) => String((given as Tensor | undefined)?.shape) === String(wanted);
  return has([numImages, ...shape]) || (kind === 'class' && has([numImages]));
}

/**
 * The conditions of the images [start, start + count) as the model takes them, [count, ...shape]. The caller
 * disposes it.
 */
export function conditionTensor({ shape, values }: ConditionValues, start: number, count: number): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return tensor(values.subarray(start * size, (start + count) * size), [count, ...shape], 'float32');
}

/**
 * The condition of images [N,H,W,C] as the model takes it, its shape checked, and its values where they are
 * not a tensor's. The caller disposes it.
 *
 * @throws TypeError, named `what`
 */
export function conditionInput(
  what: string,
  condition: ConditionShape | null,
  given: Condition,
  [n, ...imageShape]: readonly [number, ...number[]],
): Tensor {
  if (condition === null) wrong(what, 'none, since the model takes no condition', given);
  const shape = shapeOfOne(condition, imageShape);
  const classes = condition.kind === 'class' ? numbersOfClasses(given, n) : null;
  if (classes !== null) {
    checkValues(what, condition, classes);
    return tensor(classes, [n, ...shape], 'float32');
  }
  if (!isTensorOf(given, condition, shape, n)) wrong(what, wordsFor(condition, shape, n), described(given));
  return reshape(given, [n, ...shape]); // [N] -> [N,1], else as it is
}

/** The same condition for so many images. */
export function repeated({ shape, values }: ConditionValues, count: number): ConditionValues {
  const all = new Float32Array(count * values.length);
  for (let n = 0; n < count; n++) all.set(values, n * values.length);
  return { shape, values: all };
}

/** Conditions of so many images at random: any class, or numbers in [-1, 1). */
export function randomConditions(
  condition: ConditionShape,
  count: number,
  imageShape: readonly number[],
  random: () => number,
): ConditionValues {
  const shape = shapeOfOne(condition, imageShape);
  const draw =
    condition.kind === 'class' ? () => Math.floor(random() * condition.numClasses) : () => 2 * random() - 1;
  const size = shape.reduce((product, length) => product * length, count);
  return { shape, values: Float32Array.from({ length: size }, draw) };
}
