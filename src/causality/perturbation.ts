import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { outputsOf, readAndDispose } from '../inference/batches';
import { type Condition, conditionData, conditionTensors } from '../models/conditions';
import type { ImageModelShape } from '../models/image-model';
import {
  anything,
  callback,
  integer,
  optional,
  optionalSignal,
  type Values,
} from '../runtime/core/arguments';
import * as core from '../runtime/core/conditions';
import { type ImageShape, resolveImageShape, valuesOf } from '../runtime/core/images';
import { pauses } from '../runtime/core/pauses';
import { reportProgress } from '../runtime/core/progress';
import { uniformsOf } from '../runtime/core/random';
import {
  channelOf,
  isSoftmax,
  outputsName,
  type PixelDistribution,
} from '../runtime/distributions/pixel-distribution';

export const trialArguments = {
  /** [H, W, C]; required if the model takes images of any size. Small sizes are faster. @default the model's */
  imageShape: optional(anything<readonly [number, number, number]>()),
  /** The seed of the random images, and of the values to change. @default 0 */
  seed: optional(integer(), 0),
  /** Images in each forward pass. @default 8 */
  batchSize: optional(integer({ from: 1 }), 8),
  /** Stops between two forward passes, and rejects with `signal.reason`. */
  signal: optionalSignal(),
  /** Called after each batch of changes, with the number done so far. If it throws or rejects, so does the function. */
  onProgress: optional(callback<(progress: { done: number; total: number }) => void>()),
  /**
   * The condition of a single image: a class, a vector [1,K] or a map [1,H,W,K]; several by name.
   * @default every class, and random vectors and maps
   */
  condition: optional(anything<Condition>()),
};

/** Reads the options of a function as trials. */
export async function trialsOf(
  caller: string,
  { imageShape: ofModel, conditions, distribution }: ImageModelShape,
  { imageShape: given, seed, condition, ...options }: Values<typeof trialArguments>,
) {
  const imageShape: ImageShape = resolveImageShape(`${caller}: imageShape`, ofModel, given);
  const random = uniformsOf(String(seed));
  const pause = pauses();
  return {
    ...options,
    caller,
    outputsName: outputsName(distribution),
    imageShape,
    /** Uniforms in [0, 1). */
    random,
    conditions: await conditionsToTry(`${caller}: condition`, conditions, condition, imageShape, random),
    /** Call it between steps, to let other work run, and to stop where the signal aborts. */
    async rest() {
      await pause();
      options.signal?.throwIfAborted();
    },
  };
}

/** The random images to test with, and how. */
export type Trials = Awaited<ReturnType<typeof trialsOf>>;

/** The changes of a value to test, in normalized units: in both directions, small and beyond any real image. */
const CHANGES = [0.5, -0.5, 4, -4];

/** How often each value is changed: by each of these, and under every class. */
export const attemptsOf = ({ conditions }: Trials): number => Math.max(CHANGES.length, conditions.count);

/**
 * Changes each of the given values in several random images by several amounts, and reports for
 * each change where the output differs, bit for bit. Since bits depend on the position in a batch
 * and on its size, each attempt compares all its changes with one batch of unchanged images.
 *
 * @param outputOf computes [N, positions, values] from images [N,H,W,C] and their conditions
 * @param visit receives the positions that a change has affected
 * @throws Error if an output is not finite
 */
export async function changeEach(
  outputOf: (images: tf.Tensor4D, conditions: readonly tf.Tensor[]) => tf.Tensor3D,
  inputs: readonly number[],
  trials: Trials,
  visit: (input: number, hasMoved: (position: number) => boolean) => void,
): Promise<void> {
  const { caller, outputsName, imageShape, random, conditions, rest, signal, onProgress } = trials;
  const places = valuesOf(imageShape);
  const size = Math.min(trials.batchSize, inputs.length);
  const total = inputs.length * attemptsOf(trials);
  for (let attempt = 0; attempt * inputs.length < total; attempt++) {
    const original = Float32Array.from({ length: size * places }, random);
    const values = conditions.draw(attempt, size);
    const pass = (images: Float32Array) =>
      outputOf(tf.tensor4d(images, [size, ...imageShape]), conditionTensors(values, 0, size)); // [N, positions, values]
    const change = CHANGES[attempt % CHANGES.length] as number;
    await rest();
    const before = tf.tidy(() => pass(original));
    try {
      const [sum] = await readAndDispose(tf.tidy(() => tf.sum(before)));
      if (!Number.isFinite(sum))
        throw new Error(`${caller}: the model returned ${outputsName} that are not finite numbers`);
      for (let start = 0; start < inputs.length; start += size) {
        await rest();
        const batch = inputs.slice(start, start + size);
        const changed = original.slice();
        for (const [n, input] of batch.entries()) {
          changed[n * places + input] = (changed[n * places + input] as number) + change;
        }
        const moved = await readAndDispose(tf.tidy(() => tf.any(tf.notEqual(before, pass(changed)), 2))); // [N, positions]
        for (const [n, input] of batch.entries()) {
          const own = (n * moved.length) / size;
          visit(input, (position) => moved[own + position] === 1);
        }
        const done = attempt * inputs.length + start + batch.length;
        if (onProgress) await reportProgress(onProgress, { done, total }, signal);
      }
    } finally {
      before.dispose();
    }
  }
  await rest();
}

/** The outputs first read at each place: [N,H*W*C,L] of a softmax, else [N,H*W*C,P], 0 for other channels. */
export function outputsByPlace(model: LayersModel, distribution: PixelDistribution) {
  const { imageChannels, levels, numParameters } = distribution;
  const isOfChannel = Float32Array.from({ length: imageChannels * numParameters }, (_, i) =>
    Number(channelOf(distribution, i % numParameters) === Math.floor(i / numParameters)),
  );
  return (images: tf.Tensor4D, conditions: readonly tf.Tensor[]): tf.Tensor3D => {
    const outputs = outputsOf(model, images, conditions);
    const [n] = images.shape;
    if (isSoftmax(distribution)) return tf.reshape(outputs, [n, -1, levels]); // [N,H,W,C,L] -> [N,H*W*C,L]
    const ofPixels = tf.reshape(outputs, [n, -1, 1, numParameters]); // [N,H,W,P] -> [N,H*W,1,P]
    const ofPlaces = tf.mul(ofPixels, tf.tensor(isOfChannel, [imageChannels, numParameters])); // [N,H*W,C,P]
    return tf.reshape(ofPlaces, [n, -1, numParameters]); // [N,H*W,C,P] -> [N,H*W*C,P]
  };
}

/** The conditions to test: those given, or every class in turn, in `count` attempts, and random vectors and maps. */
export async function conditionsToTry(
  what: string,
  conditions: readonly core.ConditionShape[],
  given: Condition | undefined,
  imageShape: ImageShape,
  random: () => number,
): Promise<{ count: number; draw: (attempt: number, count: number) => core.ConditionValues[] }> {
  if (given !== undefined) {
    const ofOne = core.readConditions(what, conditions, await conditionData(given), 1, imageShape);
    return { count: 1, draw: (_, count) => ofOne.map((one) => core.repeatedCondition(one, count)) };
  }
  return {
    count: Math.max(1, ...conditions.map((one) => (one.kind === 'class' ? core.numCategories(one) : 1))),
    draw: (attempt, count) =>
      conditions.map((one) => {
        if (one.kind !== 'class') return core.randomConditions(one, count, imageShape, random);
        const ofOne = { shape: [1], values: Float32Array.of(attempt % core.numCategories(one)) };
        return core.repeatedCondition(ofOne, count);
      }),
  };
}
