import { reshape, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { throwTypeError } from '../core/check';
import {
  type ConditionData,
  type ConditionShape,
  type ConditionValues,
  checkCondition,
  checkConditionValues,
  conditionShapeOf,
  type NumericArray,
  part,
} from '../core/conditions';
import { resolveImageShape } from '../core/images';
import type { ImageModelShape } from './image-model';

/**
 * What images are conditioned on: classes [N] or [N,1], vectors [N,K] or maps [N,H,W,K], as the model takes
 * them; a class may also be a number, the same for all images, or an array with one class per image.
 */
export type Condition = Tensor | ConditionData;

/** A tensor's numbers and shape. */
export async function readTensor(tensor: Tensor): Promise<NumericArray> {
  return { data: await tensor.data(), shape: tensor.shape };
}

const isTensor = (given: unknown): given is Tensor => typeof (given as Tensor | null)?.data === 'function';

/** A condition without tensors, not yet checked. */
export async function conditionData(given: Condition | undefined): Promise<ConditionData | undefined> {
  return isTensor(given) ? readTensor(given) : given;
}

/**
 * The conditions of the images [start, start + count) as the model takes them, [count, ...shape]. The caller
 * disposes it.
 */
export function conditionTensor(conditions: ConditionValues, start: number, count: number): Tensor {
  const { shape, values } = part(conditions, start, count);
  return tensor(values, [count, ...shape], 'float32');
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
  const classes = checkCondition(what, condition, given, n, imageShape);
  const shape = [n, ...conditionShapeOf(condition as ConditionShape, imageShape)];
  if (classes === null && isTensor(given)) return reshape(given, shape); // [N] -> [N,1], else as it is
  const values = classes ?? (given as NumericArray).data;
  checkConditionValues(what, condition, values);
  return tensor(Float32Array.from(values), shape);
}

/**
 * What a graph takes: `x` as it came, or its images with the tensor that is `made` of a condition given
 * beside them, which the caller disposes.
 *
 * @throws TypeError, named by `caller`, where a condition is missing, or images and conditions are not as
 * many or do not fit the model
 */
export function modelInputs<X>(
  caller: string,
  shape: Pick<ImageModelShape, 'imageShape' | 'condition'>,
  x: X,
  given: Condition | undefined,
): { inputs: X | Tensor[]; made?: Tensor } {
  const [images, conditions] = Array.isArray(x) ? (x as Tensor[]) : [x as Tensor];
  if (given === undefined) {
    if (shape.condition !== null && images?.shape !== undefined && conditions === undefined) {
      throwTypeError(
        `${caller}: condition`,
        'one, since the model takes it, or [images, condition] for x',
        given,
      );
    }
    if (conditions !== undefined && conditions.shape[0] !== images?.shape[0]) {
      throwTypeError(
        `${caller}: x`,
        `${images?.shape[0]} conditions, as many as images`,
        conditions.shape[0],
      );
    }
    return { inputs: x };
  }
  if (conditions !== undefined || images?.rank !== 4) {
    throwTypeError(`${caller}: x`, 'a tensor of images [N,H,W,C], with condition', x);
  }
  const [n, ...size] = (images as Tensor).shape as [number, ...number[]];
  const imageShape = resolveImageShape(`${caller}: x`, shape.imageShape, size);
  const made = conditionInput(`${caller}: condition`, shape.condition, given, [n, ...imageShape]);
  return { inputs: [images as Tensor, made], made };
}
