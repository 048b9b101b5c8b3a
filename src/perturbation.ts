import { any, notEqual, reshape, sum, tensor4d, tidy } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { forward } from './image-model';

/** A place in an image. */
export type Place = [row: number, column: number, channel: number];

/** Height, width and channels. */
export type ImageShape = readonly [number, number, number];

/** How many values an image has. */
export const sizeOf = ([height, width, channels]: ImageShape): number => height * width * channels;

/** The place of a value, in the order rows, columns, channels. */
export const placeOf = (index: number, [, width, channels]: ImageShape): Place => [
  Math.floor(index / (width * channels)),
  Math.floor(index / channels) % width,
  index % channels,
];

/** The index of a place. */
export const indexOfPlace = (
  [row, column, channel]: Readonly<Place>,
  [, width, channels]: ImageShape,
): number => (row * width + column) * channels + channel;

/** Changes of one value that are tried, in normalized units: both ways, small and beyond any real image. */
const CHANGES = [0.5, -0.5, 4, -4];

/**
 * Changes each of the given values in several random images by several amounts, and tells for each time which logits moved: takes 4 images a
 * value through the model, twice. Logits are compared bit for bit.
 *
 * @throws Error where the model gives logits that are not finite
 */
export async function changeEach(
  model: LayersModel,
  imageShape: ImageShape,
  inputs: readonly number[],
  { caller, batchSize, random }: { caller: string; batchSize: number; random: () => number },
  visit: (input: number, hasMoved: (output: number) => boolean) => void,
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
    const moved = await movedPlaces(caller, model, original, changed, [size, ...imageShape]);
    for (let n = 0; n < size; n++) visit(inputOf(start + n), (output) => moved[n * places + output] === 1);
  }
}

/** For every image and place whether any logit there differs between the two batches, [N*H*W*C]. */
async function movedPlaces(
  caller: string,
  model: LayersModel,
  original: Float32Array,
  changed: Float32Array,
  shape: [number, number, number, number],
): Promise<ArrayLike<number>> {
  // The two batches go through the model alike, so that equal inputs give equal bits.
  const [moved, total] = tidy(() => {
    const before = forward(model, tensor4d(original, shape)); // [N,H,W,C,L]
    const after = forward(model, tensor4d(changed, shape)); // [N,H,W,C,L]
    const rows = [original.length, before.size / original.length]; // [N*H*W*C, L]
    return [any(reshape(notEqual(before, after), rows), 1), sum(before)];
  });
  try {
    const [finite] = await (total as NonNullable<typeof total>).data();
    if (!Number.isFinite(finite)) throw new Error(`${caller}: the model gave logits that are not finite`);
    return await (moved as NonNullable<typeof moved>).data();
  } finally {
    moved?.dispose();
    total?.dispose();
  }
}
