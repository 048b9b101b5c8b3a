import {
  any,
  dispose,
  notEqual,
  reshape,
  sum,
  type Tensor3D,
  type Tensor4D,
  tensor4d,
  tidy,
} from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ConditionShape } from '../image-model/condition-shape';
import {
  type Condition,
  type ConditionValues,
  conditionTensor,
  randomConditions,
  readCondition,
  repeated,
} from '../image-model/conditions';
import { forward } from '../image-model/forward';
import { type ImageShape, sizeOf } from '../image-model/place';

/** Changes of one value that are tried, in normalized units: both ways, small and beyond any real image. */
const CHANGES = [0.5, -0.5, 4, -4];

/**
 * Changes each of the given values in several random images by several amounts, and tells for each time where the output moved: takes 4 images a
 * value through `outputOf`, twice. Outputs are compared bit for bit.
 *
 * @param outputOf from images [N,H,W,C] to [N, positions, values]
 * @throws Error where an output is not finite
 */
export async function changeEach(
  outputOf: (images: Tensor4D) => Tensor3D,
  imageShape: ImageShape,
  inputs: readonly number[],
  { caller, batchSize, random }: { caller: string; batchSize: number; random: () => number },
  visit: (input: number, hasMoved: (position: number) => boolean) => void,
): Promise<void> {
  const places = sizeOf(imageShape);
  const trials = inputs.length * CHANGES.length;
  const inputOf = (trial: number) => inputs[trial % inputs.length] as number;
  for (let start = 0; start < trials; start += batchSize) {
    const size = Math.min(batchSize, trials - start);
    const original = Float32Array.from({ length: size * places }, random);
    const changed = original.slice();
    for (let n = 0; n < size; n++) {
      const index = n * places + inputOf(start + n);
      const change = CHANGES[Math.floor((start + n) / inputs.length)] as number;
      changed[index] = (changed[index] as number) + change;
    }
    const moved = await movedPositions(caller, outputOf, original, changed, [size, ...imageShape]);
    for (let n = 0; n < size; n++) {
      const first = (n * moved.length) / size;
      visit(inputOf(start + n), (position) => moved[first + position] === 1);
    }
  }
}

/** For every image and position whether any value there differs between the two batches, [N, positions]. */
async function movedPositions(
  caller: string,
  outputOf: (images: Tensor4D) => Tensor3D,
  original: Float32Array,
  changed: Float32Array,
  shape: [number, number, number, number],
): Promise<ArrayLike<number>> {
  // The two batches go through the model alike, so that equal inputs give equal bits.
  const tensors = tidy(() => {
    const before = outputOf(tensor4d(original, shape));
    const after = outputOf(tensor4d(changed, shape));
    return [sum(before), any(notEqual(before, after), 2)]; // [N, positions, values] -> [N, positions]
  });
  try {
    const [total, moved] = (await Promise.all(tensors.map((tensor) => tensor.data()))) as [
      Float32Array,
      Uint8Array,
    ];
    if (!Number.isFinite(total[0])) throw new Error(`${caller}: the model gave logits that are not finite`);
    return moved;
  } finally {
    dispose(tensors);
  }
}

/** The logits of a model by place, for {@link changeEach}, with the conditions of a batch where it takes any: [N,H,W,C,L] -> [N,H*W*C,L]. */
export const logitsByPlace =
  (model: LayersModel, conditions: ConditionValues | null) =>
  (images: Tensor4D): Tensor3D => {
    const [n] = images.shape;
    const logits = forward(model, images, conditions && conditionTensor(conditions, 0, n));
    return reshape(logits, [n, -1, logits.shape[4] as number]);
  };

/**
 * The conditions of a batch of images to try, null where the model takes none: the given one for all, or any, of each image its own.
 *
 * @throws TypeError, named `what`, where the given one does not fit
 */
export async function conditionsToTry(
  what: string,
  condition: ConditionShape | null,
  given: Condition | undefined,
  imageShape: ImageShape,
  { batchSize, random }: { batchSize: number; random: () => number },
): Promise<ConditionValues | null> {
  if (condition !== null && given === undefined) {
    return randomConditions(condition, batchSize, imageShape, random);
  }
  const one = await readCondition(what, condition, given, 1, imageShape);
  return one && repeated(one, batchSize);
}
