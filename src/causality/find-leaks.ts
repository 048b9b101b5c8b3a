import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checked, optional, readArguments } from '../core/arguments';
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

export const causalityArguments = {
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

/** The result of `checkCausality`. */
export interface Causality {
  /** Whether every output depends only on inputs before it. */
  causal: boolean;
  /** Every leaking pair, ordered by output and then by input. */
  leaks: Leak[];
  /** The layer where the leak begins; missing if nothing leaks or no single layer can be identified. */
  layer?: string;
}

/** Does what `checkCausality` documents. */
export async function findLeaks(model: LayersModel, options: object): Promise<Causality> {
  const shape = imageModelShape('checkCausality: model', model);
  const values = readArguments('checkCausality', options, causalityArguments);
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
