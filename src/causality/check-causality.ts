import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type ImageModelShape, imageModelShape } from '../models/image-model';
import { type TracedModel, trace } from '../portable/trace';
import { checked, type Given, optional, readArguments } from '../runtime/core/arguments';
import { checkInteger, throwTypeError } from '../runtime/core/check';
import { indexOfPlace, type Place, placeOf, valuesOf } from '../runtime/core/images';
import { channelOf } from '../runtime/distributions/pixel-distribution';
import { reach } from '../runtime/program/reach';
import { leakingLayer } from './leaking-layer';
import { changeEach, outputsByPlace, type Trials, trialArguments, trialsOf } from './perturbation';

/** An input that changes an output which must not depend on it. */
export interface Leak {
  /** The place whose outputs change. */
  output: Place;
  /** The value that changes them, at this place or a later one. */
  input: Place;
}

/** The result of {@link checkCausality}. */
export interface Causality {
  /** Whether every output depends only on inputs before it. */
  causal: boolean;
  /** Every leaking pair, ordered by output and then by input. */
  leaks: Leak[];
  /** The layer where the leak begins; missing if nothing leaks, or the graph does not tell. */
  layer?: string;
}

const declared = {
  ...trialArguments,
  /**
   * How many random values of images are changed, or `'all'`. If given, images are tried even if the graph answers.
   * @default 'all', if the graph does not answer
   */
  inputs: optional(
    checked<'all' | number>((what, given) =>
      given === 'all' ? given : checkInteger(`${what}, if not 'all'`, given, 1),
    ),
  ),
};

/** Options of {@link checkCausality}. All but `imageShape` and `signal` apply only to models that are tested on images. */
export interface CausalityOptions extends Given<typeof declared> {}

/**
 * Checks that a model is causal, so that its outputs define a likelihood: the outputs for a value (its logits, or the
 * parameters first read for it) must depend only on the values before it, in the order rows, columns, channels.
 *
 * If every layer can be evaluated pixel by pixel (see {@link PixelLayer}), the graph and its masks prove or
 * refute this, for all weights, conditions and images. The leaks are then those that some weights would show.
 *
 * Any other model is tested: every value is changed in random images, at least four times and under every class, and
 * outputs are compared bit for bit. That takes 4*H*W*C images or more, minutes for a large image. Vectors and maps are
 * random, so leaks under few of them may be missed; `condition` checks your own.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016),
 * https://arxiv.org/abs/1601.06759, equations 1 and 2; testing by changed inputs is ours.
 *
 * @throws TypeError (rejects) naming the invalid option; Error if outputs of a tested model are not finite.
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
  const { inputs, ...values } = readArguments('checkCausality', options, declared);
  const trials = await trialsOf('checkCausality', shape, values);
  const traced = trace(model, shape);
  await trials.rest();
  if ('builder' in traced && inputs === undefined) return { causal: true, leaks: [] };

  const { imageShape } = trials;
  const places = valuesOf(imageShape);
  const wanted = 'at most 46340 values, since each is tested against each';
  if (typeof inputs !== 'number' && places ** 2 > 2 ** 31)
    throwTypeError('checkCausality: imageShape', wanted, imageShape);
  const pairs = new Set<number>();
  const add = (output: number, input: number) => pairs.add(output * places + input);
  const late = 'builder' in traced ? undefined : traced.late;
  if (late !== undefined && inputs === undefined) await leaksOfGraph(late, shape, trials, add);
  else {
    const keys = Float64Array.from({ length: places }, trials.random);
    const drawn = [...keys.keys()].sort((a, b) => (keys[a] as number) - (keys[b] as number));
    const changed = typeof inputs === 'number' ? drawn.slice(0, inputs) : drawn;
    await changeEach(outputsByPlace(model, shape.distribution), changed, trials, (input, hasMoved) => {
      for (let output = 0; output <= input; output++) if (hasMoved(output)) add(output, input);
    });
  }
  if (pairs.size === 0) return { causal: true, leaks: [] };

  const leaks = [...pairs]
    .sort((a, b) => a - b)
    .map((pair) => ({
      output: placeOf(Math.floor(pair / places), imageShape),
      input: placeOf(pair % places, imageShape),
    }));
  const layer = 'builder' in traced ? undefined : leakingLayer(traced, shape.distribution);
  return { causal: false, leaks, ...(layer !== undefined && { layer }) };
}

/** Adds all that the graph lets places see of later values. These lie in the same row, since no program sees rows below. */
async function leaksOfGraph(
  { builder: { nodes }, output }: TracedModel,
  { conditions, distribution }: ImageModelShape,
  { imageShape, rest }: Trials,
  add: (output: number, input: number) => void,
): Promise<void> {
  const reachOf = reach({ nodes, output, conditions }, imageShape);
  for (let index = 0; index < valuesOf(imageShape); index++) {
    await rest();
    const place = placeOf(index, imageShape);
    const [row, , channel] = place;
    const seen = reachOf(place, (parameter) => channelOf(distribution, parameter) === channel, row);
    const end = indexOfPlace([row + 1, 0, 0], imageShape);
    for (let input = index; input < end; input++) if (seen[input] === 1) add(index, input);
  }
}
