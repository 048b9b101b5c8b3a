import {
  any,
  dispose,
  mul,
  notEqual,
  reshape,
  sum,
  type Tensor,
  type Tensor3D,
  type Tensor4D,
  tensor,
  tensor4d,
  tidy,
} from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import {
  type ConditionShape,
  type ConditionValues,
  numClassesRead,
  randomConditions,
  readConditions,
  repeatedCondition,
} from '../core/conditions';
import { type ImageShape, valuesOf } from '../core/images';
import { channelOf, isSoftmax, type PixelDistribution } from '../distributions/pixel-distribution';
import { type Condition, conditionData, conditionTensors } from '../models/conditions';
import { outputsOf } from '../tensors/forward';

/** Options for making and trying random images. */
export interface Trials {
  /** The name used in errors. */
  readonly caller: string;
  /** What the model's outputs are called in errors. */
  readonly outputsName: string;
  readonly imageShape: ImageShape;
  /** Images in each forward pass. */
  readonly batchSize: number;
  /** Uniforms in [0, 1). */
  readonly random: () => number;
  readonly conditions: TriedConditions;
}

/** The conditions under which a value is changed. */
export interface TriedConditions {
  /** How many attempts it takes to try each condition. */
  readonly count: number;
  /**
   * The conditions of a batch of images, where image n is in its attempt `attempts[n]`; none if the model takes none.
   */
  draw(attempts: readonly number[]): ConditionValues[];
}

/** The changes of a value to try, in normalized units: in both directions, small and beyond any real image. */
const CHANGES = [0.5, -0.5, 4, -4];

/** How often each value is changed: by all of these, and under every condition. */
export const attemptsOf = ({ conditions }: Trials): number => Math.max(CHANGES.length, conditions.count);

/**
 * Changes each of the given values in several random images by several amounts, and reports for each change where the
 * output differs. Passes 4 images for each value through `outputOf` twice, or as many as there are classes. Outputs are
 * compared bit for bit.
 *
 * @param outputOf from images [N,H,W,C] and their conditions to [N, positions, values]
 * @throws Error if an output is not finite
 */
export async function changeEach(
  outputOf: (images: Tensor4D, conditions: readonly Tensor[]) => Tensor3D,
  inputs: readonly number[],
  trials: Trials,
  visit: (input: number, hasMoved: (position: number) => boolean) => void,
): Promise<void> {
  const { imageShape, batchSize, random, conditions } = trials;
  const places = valuesOf(imageShape);
  const count = inputs.length * attemptsOf(trials);
  for (let start = 0; start < count; start += batchSize) {
    const size = Math.min(batchSize, count - start);
    const batch = Array.from({ length: size }, (_, n) => ({
      input: inputs[(start + n) % inputs.length] as number,
      attempt: Math.floor((start + n) / inputs.length),
    }));
    const original = Float32Array.from({ length: size * places }, random);
    const changed = original.slice();
    for (const [n, { input, attempt }] of batch.entries()) {
      const change = CHANGES[attempt % CHANGES.length] as number;
      changed[n * places + input] = (changed[n * places + input] as number) + change;
    }
    const values = conditions.draw(batch.map(({ attempt }) => attempt));
    const moved = await movedPositions(outputOf, original, changed, values, trials);
    for (const [n, { input }] of batch.entries()) {
      const first = (n * moved.length) / size;
      visit(input, (position) => moved[first + position] === 1);
    }
  }
}

/** For every image and position, whether any value there differs between the two batches, [N, positions]. */
async function movedPositions(
  outputOf: (images: Tensor4D, conditions: readonly Tensor[]) => Tensor3D,
  original: Float32Array,
  changed: Float32Array,
  values: readonly ConditionValues[],
  { caller, outputsName, imageShape }: Trials,
): Promise<ArrayLike<number>> {
  // Both batches go through the model in the same way, so that equal inputs give equal bits.
  const tensors = tidy(() => {
    const count = original.length / valuesOf(imageShape);
    const conditions = conditionTensors(values, 0, count); // [N,...] each
    const [before, after] = [original, changed].map((images) =>
      outputOf(tensor4d(images, [count, ...imageShape]), conditions),
    ) as [Tensor3D, Tensor3D];
    return [sum(before), any(notEqual(before, after), 2)]; // [N, positions, values] -> [N, positions]
  });
  try {
    const [total, moved] = (await Promise.all(tensors.map((tensor) => tensor.data()))) as [
      Float32Array,
      Uint8Array,
    ];
    if (!Number.isFinite(total[0]))
      throw new Error(`${caller}: the model gave ${outputsName} that are not finite numbers`);
    return moved;
  } finally {
    dispose(tensors);
  }
}

/**
 * The outputs of a model that are first read at each place, for {@link changeEach}: [N,H*W*C,L] for a softmax, else
 * [N,H*W*C,P] with zeros for parameters of other channels.
 */
export function outputsByPlace(model: LayersModel, distribution: PixelDistribution) {
  const { imageChannels, levels, numParameters } = distribution;
  const isOfChannel = Float32Array.from({ length: imageChannels * numParameters }, (_, i) =>
    Number(channelOf(distribution, i % numParameters) === Math.floor(i / numParameters)),
  );
  return (images: Tensor4D, conditions: readonly Tensor[]): Tensor3D => {
    const outputs = outputsOf(model, images, conditions);
    const [n] = images.shape;
    if (isSoftmax(distribution)) return reshape(outputs, [n, -1, levels]); // [N,H,W,C,L] -> [N,H*W*C,L]
    const ofPixels = reshape(outputs, [n, -1, 1, numParameters]); // [N,H,W,P] -> [N,H*W,1,P]
    const ofPlaces = mul(ofPixels, tensor(isOfChannel, [imageChannels, numParameters])); // [N,H*W,C,P]
    return reshape(ofPlaces, [n, -1, numParameters]); // [N,H*W,C,P] -> [N,H*W*C,P]
  };
}

/**
 * The conditions to try: the given ones for all images; otherwise every class in turn, and random vectors and maps for
 * each image.
 *
 * @throws TypeError, named `what`, if the given ones do not fit
 */
export async function conditionsToTry(
  what: string,
  conditions: readonly ConditionShape[],
  given: Condition | undefined,
  imageShape: ImageShape,
  random: () => number,
): Promise<TriedConditions> {
  if (given !== undefined) {
    const ofOne = readConditions(what, conditions, await conditionData(given), 1, imageShape);
    return { count: 1, draw: ({ length }) => ofOne.map((one) => repeatedCondition(one, length)) };
  }
  return {
    count: Math.max(1, ...conditions.map((one) => (one.kind === 'class' ? numClassesRead(one) : 1))),
    draw: (attempts) =>
      conditions.map((one) => {
        if (one.kind !== 'class') return randomConditions(one, attempts.length, imageShape, random);
        const numClasses = numClassesRead(one);
        return { shape: [1], values: Float32Array.from(attempts, (attempt) => attempt % numClasses) };
      }),
  };
}
