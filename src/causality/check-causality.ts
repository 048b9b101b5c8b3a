import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checked, type Given, optional, readArguments } from '../core/arguments';
import { checkInteger, throwTypeError } from '../core/check';
import { type ImageShape, type Place, placeOf, valuesOf } from '../core/images';
import { channelOf } from '../distributions/pixel-distribution';
import { type ImageModelShape, imageModelShape } from '../models/image-model';
import { trace } from '../portable/trace';
import { AFTER_ROW } from '../program/times';
import { leakingLayer } from './leaking-layer';
import { changeEach, outputsByPlace, trialArguments, trialsOf } from './perturbation';

/** An input that changes an output which must not depend on it. */
export interface Leak {
  /** The place whose outputs changed. */
  output: Place;
  /** The value that changed them, at this place or a later one. */
  input: Place;
}

/** How many values are changed if the graph rules out every leak. */
const SOME_INPUTS = 32;

/** The number of leaking values that are used to find the offending layer. */
const INPUTS_TO_FOLLOW = 4;

const declared = {
  ...trialArguments,
  /**
   * How many randomly drawn values of the images are changed, four times each under varying classes; or `'all'`, each
   * under every class. With fewer than all, a leak that the graph does not rule out may be missed.
   * @default 32 if the graph rules out every leak, otherwise 'all'
   */
  inputs: optional(
    checked<'all' | number>((what, given) =>
      given === 'all' ? given : checkInteger(`${what}, if not 'all'`, given, 1),
    ),
  ),
};

/** Options of {@link checkCausality}. */
export interface CausalityOptions extends Given<typeof declared> {}

/** The result of {@link checkCausality}. */
export interface Causality {
  /** Whether every output depends only on inputs before it. */
  causal: boolean;
  /** Every leaking pair, ordered by output and then by input. */
  leaks: Leak[];
  /** The layer where the leak begins; missing if nothing leaks or no single layer can be identified. */
  layer?: string;
}

/**
 * Checks that a model is causal, so that its outputs define a likelihood: the outputs for a value (its
 * logits, or the parameters that a distribution first reads for it) must depend only on the values before it,
 * in the order rows, columns, channels.
 *
 * If every layer can be evaluated pixel by pixel (see {@link PixelLayer}), the graph and its masks prove or
 * refute this, for all weights, classes and images. In addition, 32 values of random images are changed, in
 * seconds, and outputs compared bit for bit, in case a layer computes something other than its `express`.
 *
 * If a layer cannot be evaluated pixel by pixel, or the graph shows a leak, every value is changed, to list all leaking
 * pairs: in up to 4*H*W*C images, or in H*W*C images for each of more than 4 classes. For a large image this takes
 * minutes. Vectors and maps are random, so leaks under few of them may be missed; `condition` checks your own.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016),
 * https://arxiv.org/abs/1601.06759, equations 1 and 2; testing by changed inputs is ours.
 *
 * @throws TypeError (rejects) naming the invalid option; Error if the model's outputs are not finite.
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
  const values = readArguments('checkCausality', options, declared);
  const trials = await trialsOf('checkCausality', shape, values);
  const { imageShape, random } = trials;

  const traced = trace(model, shape);
  const count = values.inputs ?? ('builder' in traced ? SOME_INPUTS : 'all');
  const places = valuesOf(imageShape);
  if (count === 'all' && places ** 2 > 2 ** 31) {
    const wanted = 'at most 46340 values, since each is tested against each';
    throwTypeError('checkCausality: imageShape', wanted, imageShape);
  }
  const inputs = count === 'all' ? [...new Uint32Array(places).keys()] : randomPart(places, count, random);
  const suspects = 'lateTimes' in traced ? suspectsOf(traced.lateTimes, shape, imageShape) : () => null;
  const leaksOf = new Map<number, Uint8Array>(); // for an input that leaks, the outputs that see it
  const outputs = outputsByPlace(model, shape.distribution);
  await changeEach(outputs, inputs, { ...trials, underEvery: count === 'all' }, (input, hasMoved) => {
    const isLeak = leaksOf.get(input) ?? new Uint8Array(input + 1);
    for (let output = 0; output <= input; output++) if (hasMoved(output)) isLeak[output] = 1;
    if (isLeak.includes(1)) leaksOf.set(input, isLeak);
    return suspects(input)?.every((output) => isLeak[output] === 1);
  });
  if (leaksOf.size === 0) return { causal: true, leaks: [] };

  const leaking = [...leaksOf.keys()].sort((a, b) => a - b);
  const leaks: Leak[] = [];
  for (let output = 0; output < places; output++) {
    for (const input of leaking) {
      if (leaksOf.get(input)?.[output] === 1)
        leaks.push({ output: placeOf(output, imageShape), input: placeOf(input, imageShape) });
    }
  }
  const some = someOf(leaking, INPUTS_TO_FOLLOW);
  const layer = await leakingLayer(model, some, { ...trials, onProgress: undefined });
  return { causal: false, leaks, ...(layer !== null && { layer }) };
}

/** Draws `count` different numbers below `length`, or all if there are fewer. */
function randomPart(length: number, count: number, random: () => number): number[] {
  const all = Uint32Array.from({ length }, (_, i) => i);
  const part = all.subarray(0, Math.min(count, length));
  for (let i = 0; i < part.length; i++) {
    const other = i + Math.floor(random() * (length - i));
    [all[i], all[other]] = [all[other] as number, all[i] as number];
  }
  return [...part];
}

/**
 * For a graph that leaks, the outputs that may illegally see an input, judged by the times when
 * outputs are ready. They lie in the input's pixel or, if they wait for later pixels of their row,
 * anywhere before it in the row. No graph that can be traced sees rows below.
 */
function suspectsOf(
  times: readonly number[],
  { distribution }: ImageModelShape,
  [, width, channels]: ImageShape,
): (input: number) => number[] {
  const latest = new Array<number>(channels).fill(-Infinity);
  for (const [output, time] of times.entries()) {
    const channel = channelOf(distribution, output);
    latest[channel] = Math.max(latest[channel] as number, time);
  }
  return (input) => {
    const row = Math.floor(input / (width * channels)) * width * channels;
    const before = Array.from({ length: input - row + 1 }, (_, i) => row + i); // the input itself too
    return before.filter((output) => {
      const time = latest[output % channels] as number;
      const isOwnPixel = Math.floor(output / channels) === Math.floor(input / channels);
      return time === AFTER_ROW || (isOwnPixel && time > input % channels);
    });
  };
}

/** Picks a number of items, spread evenly over a list. */
function someOf<T>(items: readonly T[], count: number): T[] {
  const step = Math.max(1, items.length / count);
  return Array.from({ length: Math.min(count, items.length) }, (_, i) => items[Math.floor(i * step)] as T);
}
