import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkArgs, checkInteger, type NamesOf, throwTypeError } from '../core/check';
import { type Place, placeOf, resolveImageShape, valuesOf } from '../core/images';
import type { Condition } from '../models/conditions';
import { imageModelShape } from '../models/image-model';
import { uniformsOf } from '../sampling/noise';
import { leakingLayer } from './leaking-layer';
import { changeEach, conditionsToTry, outputsByPlace, type Trials } from './perturbation';

/** An input that moves an output which must not depend on it. */
export interface Leak {
  /** Where the outputs moved. */
  output: Place;
  /** The value that moved them: the same place or one after it, in the order rows, columns, channels. */
  input: Place;
}

/** Options of {@link checkCausality}. */
export interface CausalityOptions {
  /**
   * [H, W, C]; needed where the model takes images of any size, and a small one is quicker.
   * @default the model's
   */
  imageShape?: readonly [number, number, number];
  /** Seed of the images tried. @default 0 */
  seed?: number;
  /** Images a forward pass. @default 32 */
  batchSize?: number;
  /**
   * What the images are conditioned on: a class, or of one image [1,K] or [1,H,W,K], for models that take it;
   * several by name.
   * @default every class, or vectors and maps at random
   */
  condition?: Condition;
}

const optionNames: NamesOf<CausalityOptions> = {
  imageShape: true,
  seed: true,
  batchSize: true,
  condition: true,
};

/** What {@link checkCausality} finds. */
export interface Causality {
  /** True where no output moves with an input that is not before it. */
  causal: boolean;
  /** Every leaking pair, by output and then by input. */
  leaks: Leak[];
  /**
   * The name of the layer that first lets the future in; left out where nothing leaks, or no one layer can be
   * told.
   */
  layer?: string;
}

/**
 * Tests the law that makes a likelihood out of outputs: those of a value, its logits or the parameters that a
 * distribution first reads for it, depend only on the values before it, in the order rows, columns, channels. Each value
 * of random images is changed, in several images by several amounts, and every output that must stay is compared bit for
 * bit. Works for any model [N,H,W,C] -> [N,H,W,C,L], or of another distribution, conditioned or not; takes 4*H*W*C
 * images through it, twice, or as many times H*W*C as it has classes, and where it leaks some more through the layers
 * that the leak comes by.
 *
 * Each value is changed under every class, the null class too; under vectors and maps at random, so that a leak which
 * only few of them open may be missed: `condition` checks one.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), equations 1 and 2; the test by
 * changing inputs is ours.
 *
 * @returns `causal`, in `leaks` every (output, input) pair at fault, and the `layer` where they begin
 * @throws TypeError (rejects) naming the option that is wrong; Error where the model gives outputs that are
 * not finite.
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
  const trials: Trials = { caller: 'checkCausality', imageShape, batchSize, random, conditions };

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

/** Leaking values of which the layer at fault is looked for. */
const INPUTS_TO_FOLLOW = 4;

/** So many items of a list, spread over it. */
function someOf<T>(items: readonly T[], count: number): T[] {
  const step = Math.max(1, items.length / count);
  return Array.from({ length: Math.min(count, items.length) }, (_, i) => items[Math.floor(i * step)] as T);
}
