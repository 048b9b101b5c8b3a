import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { wrong } from '../check';
import { type Condition, conditionInput } from '../image-model/conditions';
import { type ImageModelShape, resolveImageShape } from '../image-model/shape';

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
      wrong(`${caller}: condition`, 'one, since the model takes it, or [images, condition] for x', given);
    }
    if (conditions !== undefined && conditions.shape[0] !== images?.shape[0]) {
      wrong(`${caller}: x`, `${images?.shape[0]} conditions, as many as images`, conditions.shape[0]);
    }
    return { inputs: x };
  }
  if (conditions !== undefined || images?.rank !== 4) {
    wrong(`${caller}: x`, 'a tensor of images [N,H,W,C], with condition', x);
  }
  const [n, ...size] = (images as Tensor4D).shape;
  const imageShape = resolveImageShape(`${caller}: x`, shape, size);
  const made = conditionInput(`${caller}: condition`, shape.condition, given, [n, ...imageShape]);
  return { inputs: [images as Tensor, made], made };
}
