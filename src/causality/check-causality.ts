import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkArgs, checkInteger, type NamesOf, throwTypeError } from '../core/check';
import { type Place, placeOf, resolveImageShape, valuesOf } from '../core/images';
import { outputsName } from '../distributions/pixel-distribution';
import type { Condition } from '../models/conditions';
import { imageModelShape } from '../models/image-model';
import { uniformsOf } from '../sampling/noise';
import { leakingLayer } from './leaking-layer';
import { changeEach, conditionsToTry, outputsByPlace, type Trials } from './perturbation';

/** An input that changes an output which must not depend on it. */
export interface Leak {
  /** The place of the outputs that changed. */
  output: Place;
  /** The value that changed them: at the same place or a later one, in the order rows, columns, channels. */
  input: Place;
}

/** Options of {@link checkCausality}. */
export interface CausalityOptions {
  /**
   * [H, W, C]; required if the model takes images of any size. A small size is faster.
   * @default the model's
   */
  imageShape?: readonly [number, number, number];
  /** Seed of the images tried. @default 0 */
  seed?: number;
  /** Images in each forward pass. @default 32 */
  batchSize?: number;
  /**
   * The condition, for models that take one: a class, or a vector [1,K] or map [1,H,W,K] of a single image; several by
   * name.
   * @default every class; random vectors and maps
   */
  condition?: Condition;
}

const optionNames: NamesOf<CausalityOptions> = {
  imageShape: true,
  seed: true,
  batchSize: true,
  condition: true,
};

/** The result of {@link checkCausality}. */
export interface Causality {
  /** True if every output depends only on inputs before it. */
  causal: boolean;
  /** Every leaking pair, ordered by output and then by input. */
  leaks: Leak[];
  /**
   * The name of the layer where the leak begins; missing if nothing leaks or no single layer can be identified.
   */
  layer?: string;
}

/**
 * Tests the rule by which outputs define a likelihood: the outputs for a value (its logits, or the parameters that a
 * distribution first reads for it) must depend only on the values before it, in the order rows, columns, channels. Each
 * value of random images is changed, in several images and by several amounts, and every output that must not change is
 * compared bit for bit. Works for any model [N,H,W,C] -> [N,H,W,C,L], or with another distribution, with or without
 * conditions. Passes 4*H*W*C images through the model twice, or H*W*C images for each class if there are more than 4,
 * and if something leaks, some more through the layers on the way.
 *
 * Each value is changed under every class, including the null class. Vectors and maps are random, so a leak that only
 * few of them cause may be missed; use `condition` to check a particular one.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, equations 1
 * and 2; the test by changing inputs is ours.
 *
 * @returns `causal`, every offending (output, input) pair in `leaks`, and the `layer` where they begin
 * @throws TypeError (rejects) naming the option that is wrong; Error if the model's outputs are not finite.
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
  checkArgs('checkCausality: options', options, optionNames);
  const imageShape = resolveImageShape('checkCausality: imageShape', shape.imageShape, options.imageShape);
  const batchSize = checkInteger('checkCausality: batchSize', options.batchSize ?? 32, 1);
  const random = uniformsOf(String(checkInteger('checkCausality: seed', options.seed ?? 0)));
  const what = 'checkCausality: condition';
  const conditions = await conditionsToTry(what, shape.conditions, options.condition, imageShape, random);
  const trials: Trials = {
    caller: 'checkCausality',
    outputsName: outputsName(shape.distribution),
    imageShape,
    batchSize,
    random,
    conditions,
  };

  const places = valuesOf(imageShape);
  if (places ** 2 > 2 ** 31) {
    throwTypeError(
      'checkCausality: imageShape',
      'at most 46340 values, since each is tried with each',
      imageShape,
    );
  }
  const isLeak = new Uint8Array(places * places); // [output, input]
  const inputs = Array.from({ length: places }, (_, place) => place);
  await changeEach(outputsByPlace(model, shape.distribution), inputs, trials, (input, hasMoved) => {
    for (let output = 0; output <= input; output++) {
      if (hasMoved(output)) isLeak[output * places + input] = 1;
    }
  });

  const leaks: Leak[] = [];
  const leaking = new Set<number>(); // inputs
  for (const [pair, isLeaking] of isLeak.entries()) {
    if (!isLeaking) continue;
    const [output, input] = [Math.floor(pair / places), pair % places];
    leaks.push({ output: placeOf(output, imageShape), input: placeOf(input, imageShape) });
    leaking.add(input);
  }
  if (leaks.length === 0) return { causal: true, leaks };
  const layer = await leakingLayer(model, someOf([...leaking], INPUTS_TO_FOLLOW), trials);
  return { causal: false, leaks, ...(layer === null ? {} : { layer }) };
}

/** The number of leaking values for which the offending layer is searched. */
const INPUTS_TO_FOLLOW = 4;

/** Picks a number of items, spread evenly over a list. */
function someOf<T>(items: readonly T[], count: number): T[] {
  const step = Math.max(1, items.length / count);
  return Array.from({ length: Math.min(count, items.length) }, (_, i) => items[Math.floor(i * step)] as T);
}
