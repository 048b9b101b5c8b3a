import { reshape, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { anything, optional } from '../runtime/core/arguments';
import { throwTypeError } from '../runtime/core/check';
import * as core from '../runtime/core/conditions';
import { resolveImageShape } from '../runtime/core/images';
import type { ImageModelShape } from './image-model';

type OneCondition = Tensor | Exclude<core.ConditionData, core.ConditionsByName<unknown>>;

/**
 * The conditions of images: classes [N] or [N,1], vectors [N,K], maps [N,H,W,K] or codes [N,h,w]. Classes may also be
 * one number for all images, or an array with one for each. Several conditions are given by name: `{ class, map }`.
 */
export type Condition = OneCondition | core.ConditionsByName<OneCondition>;

export const conditionOption = {
  /** The condition of the images, for models that take one; several by name, `{ class, vector }`. */
  condition: optional(anything<Condition>()),
};

/** A tensor's numbers and shape. */
export async function readTensor(tensor: Tensor): Promise<core.NumericArray> {
  return { data: await tensor.data(), shape: tensor.shape };
}

/** Checks that something is a tensor [N,H,W,C], not the runtime's `Images`. */
export function checkImageTensor(what: string, images: unknown, numbers = 'levels'): void {
  const tensor = isTensor(images) ? images : null;
  if (tensor?.rank !== 4) throwTypeError(what, `a tensor of ${numbers} [N,H,W,C]`, tensor?.shape ?? images);
}

export const isTensor = (given: unknown): given is Tensor =>
  typeof (given as Tensor | null)?.data === 'function';

/** Checks that a tensor holds numbers that tfjs can still read. */
export function checkReadable(what: string, { isDisposed, dtype }: Tensor): void {
  if (isDisposed) throwTypeError(what, 'a tensor that is not disposed', 'a disposed one');
  if (dtype === 'string' || dtype === 'complex64')
    throwTypeError(what, 'a tensor of int32 or float32', dtype);
}

/** Conditions without tensors, not yet checked. */
export async function conditionData(given: Condition | undefined): Promise<core.ConditionData | undefined> {
  if (isTensor(given)) return readTensor(given);
  if (!core.isByName(given)) return given as core.ConditionData | undefined;
  const numbers = Object.entries<Condition>(given).map(async ([name, one]) => {
    return [name, isTensor(one) ? await readTensor(one) : one];
  });
  return Object.fromEntries(await Promise.all(numbers)) as core.ConditionData;
}

/** The conditions of the images [start, start + count) as tensors [count, ...shape], which the caller disposes. */
export function conditionTensors(conditions: readonly core.ConditionValues[], start: number, count: number) {
  return conditions.map((all): Tensor => {
    const { shape, values } = core.slicedCondition(all, start, count);
    return tensor(values, [count, ...shape], 'float32');
  });
}

/** The checked conditions of images [N,H,W,C] as tensors, which the caller disposes. */
export function readConditionTensors(
  what: string,
  conditions: ImageModelShape['conditions'],
  given: Condition | undefined,
  [n, ...imageShape]: readonly [number, ...number[]],
): Tensor[] {
  const checked = core.matchConditions<OneCondition>(what, conditions, given).map((one) => {
    const classes = core.checkCondition(one, n, imageShape);
    const isGivenTensor = classes === null && isTensor(one.given);
    if (isGivenTensor) checkReadable(one.what, one.given as Tensor);
    const values = isGivenTensor ? null : (classes ?? (one.given as core.NumericArray).data);
    if (values !== null) core.checkConditionValues(one.what, one.condition, values);
    const shape = [n, ...core.conditionShapeOf(one.condition, imageShape)];
    return { shape, values, given: one.given as Tensor };
  });
  // Made only after all checks, so that an error leaks no tensors.
  return checked.map(({ shape, values, given }) =>
    values === null ? reshape(given, shape) : tensor(Float32Array.from(values), shape),
  ); // [N] -> [N,1], [N,h,w] -> [N,h,w,1], others unchanged
}

/**
 * The inputs of a graph: `x` unchanged, or its images and tensors `made` from the given conditions, which the
 * caller disposes. Throws if conditions are missing, not as many as images, or do not fit the model.
 */
export function modelInputs<X>(
  caller: string,
  { imageShape, conditions }: Pick<ImageModelShape, 'imageShape' | 'conditions'>,
  x: X,
  given: Condition | undefined,
): { inputs: X | Tensor[]; made: Tensor[] } {
  const [images, ...beside] = Array.isArray(x) ? (x as Tensor[]) : [x as Tensor];
  if (given === undefined) {
    if (conditions.length > 0 && images?.shape !== undefined && beside.length === 0) {
      const [one, several] = ['one, since the model takes one', core.namesWanted(conditions)];
      const kinds = conditions.length === 1 ? 'condition' : conditions.map(({ kind }) => kind).join(', ');
      const wanted = `${conditions.length === 1 ? one : several}, or [images, ${kinds}] for x`;
      throwTypeError(`${caller}: condition`, wanted, given);
    }
    for (const { shape } of beside) {
      if (shape[0] === images?.shape[0]) continue;
      throwTypeError(`${caller}: x`, `${images?.shape[0]} conditions, as many as images`, shape[0]);
    }
    return { inputs: x, made: [] };
  }
  if (beside.length > 0 || images?.rank !== 4) {
    const got = beside.length > 0 ? x : (images?.shape ?? x);
    throwTypeError(`${caller}: x`, 'a tensor of images [N,H,W,C], with condition', got);
  }
  const [n, ...size] = (images as Tensor).shape as [number, ...number[]];
  const resolved = resolveImageShape(`${caller}: x`, imageShape, size);
  const made = readConditionTensors(`${caller}: condition`, conditions, given, [n, ...resolved]);
  return { inputs: [images as Tensor, ...made], made };
}
