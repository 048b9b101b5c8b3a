import { any, notEqual, reshape, sum, tensor4d, tidy } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import seedrandom from 'seedrandom';
import { checkInteger } from './check';
import { forward, imageModelShape, resolveImageShape } from './image-model';

/** A place in an image. */
export type Place = [row: number, column: number, channel: number];

/** An input that moves an output which must not depend on it. */
export interface Leak {
  /** Where the logits moved. */
  output: Place;
  /** The value that moved them: the same place or one after it, in the order rows, columns, channels. */
  input: Place;
}

/** Options of {@link checkCausality}. */
export interface CausalityOptions {
  /** [H, W, C]; needed where the model takes images of any size, and a small one is quicker. @default the model's */
  imageShape?: [number, number, number];
  /** Seed of the images tried. @default 0 */
  seed?: number;
  /** Images a forward pass. @default 32 */
  batchSize?: number;
}

/** What {@link checkCausality} finds. */
export interface Causality {
  /** True where no output moves with an input that is not before it. */
  causal: boolean;
  /** Every leaking pair, by output and then by input. */
  leaks: Leak[];
}

/** Changes of one value that are tried, in normalized units: both ways, small and beyond any real image. */
const CHANGES = [0.5, -0.5, 4, -4];

/**
 * Tests the law that makes a likelihood out of logits: the logits of a value depend only on the values before it, in the order
 * rows, columns, channels. Each value of random images is changed, in several images by several amounts, and every logit that must
 * stay is compared bit for bit. Works for any model [N,H,W,C] -> [N,H,W,C,L]; takes 4*H*W*C images through it, twice.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), equations 1 and 2; the test by changing inputs is ours.
 *
 * @returns `causal`, and in `leaks` every (output, input) pair at fault
 * @throws TypeError (rejects) naming the option that is wrong; Error where the model gives logits that are not finite.
 * @example
 * ```js
 * import { checkCausality, pixelCNN } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 4, hiddenDim: 4, outDim: 4, numBlocks: 1 });
 * const { causal, leaks } = await checkCausality(model);
 * console.log(causal, leaks); // true []
 * ```
 */
export async function checkCausality(model: LayersModel, options: CausalityOptions = {}): Promise<Causality> {
  const shape = imageModelShape('checkCausality: model', model);
  const imageShape = resolveImageShape('checkCausality: imageShape', shape, options.imageShape);
  const batchSize = checkInteger('checkCausality: batchSize', options.batchSize ?? 32, 1);
  const random = seedrandom.alea(String(checkInteger('checkCausality: seed', options.seed ?? 0)));

  const [, width, channels] = imageShape;
  const places = imageShape[0] * width * channels;
  const trials = places * CHANGES.length; // trial t changes place t mod places
  const isLeak = new Uint8Array(places * places); // [output, input]
  for (let start = 0; start < trials; start += batchSize) {
    const size = Math.min(batchSize, trials - start);
    const original = Float32Array.from({ length: size * places }, random);
    const changed = original.slice();
    for (let n = 0; n < size; n++) {
      const trial = start + n;
      const index = n * places + (trial % places);
      changed[index] = (changed[index] as number) + (CHANGES[Math.floor(trial / places)] as number);
    }
    const moved = await movedPlaces(model, original, changed, [size, ...imageShape]);
    for (let n = 0; n < size; n++) {
      const input = (start + n) % places;
      for (let output = 0; output <= input; output++) {
        if (moved[n * places + output]) isLeak[output * places + input] = 1;
      }
    }
  }

  const placeOf = (index: number): Place => [
    Math.floor(index / (width * channels)),
    Math.floor(index / channels) % width,
    index % channels,
  ];
  const leaks: Leak[] = [];
  for (const [pair, leaking] of isLeak.entries()) {
    if (leaking) leaks.push({ output: placeOf(Math.floor(pair / places)), input: placeOf(pair % places) });
  }
  return { causal: leaks.length === 0, leaks };
}

/** For every image and place whether any logit there differs between the two batches, [N*H*W*C]. */
async function movedPlaces(
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
    if (!Number.isFinite(finite))
      throw new Error('checkCausality: the model gave logits that are not finite');
    return await (moved as NonNullable<typeof moved>).data();
  } finally {
    moved?.dispose();
    total?.dispose();
  }
}
