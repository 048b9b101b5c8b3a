import { anything, type Given, integer, optional, readArguments } from '../core/arguments';
import { type ImageShape, resolveImageShape } from '../core/images';
import { distributionOf } from '../distributions/kinds';
import { INSTRUCTION_WORDS, type Instruction } from '../kernels/instruction';
import { checkModel, type PortableModel } from '../program/program';
import { ONCE } from '../program/times';
import { planned } from './evaluator';
import type { Places } from './places';
import { FIRST_MOVING } from './plan';

const options = {
  /** How many images at a time. @default 1 */
  numImages: optional(integer({ from: 1 }), 1),
  /** [H, W, C]; required if the model takes images of any size. @default the model's */
  imageShape: optional(anything<ImageShape>()),
};

/** Options of {@link costOf}. */
export interface CostOptions extends Given<typeof options> {}

/** What {@link costOf} returns. */
export interface Cost {
  /** The weights as they are used: in 16 bits if a large model's file has them in float16 or int8, else in float32. */
  weightBytes: number;
  /** Everything else: features of earlier pixels, keys and values of attention, instructions. */
  workBytes: number;
  /** Of weights, keys and values with features, for all images: each feature is computed once. */
  multiplications: number;
}

/**
 * The memory and arithmetic of drawing or scoring images, from the plan for them. Allocates none of that memory, so it answers
 * before a model is trained, too. The model's own weights, and maps that are computed from conditions before an image
 * begins, are not counted; nor are the particles of `lookAhead`, each of which costs as much as an image.
 *
 * @throws TypeError if an option is invalid, or the images do not fit the model
 * @example
 * ```js
 * import { pixelCNN, toPortable } from 'pixelcnn-layers';
 * import { costOf } from 'pixelcnn-layers/runtime';
 * const model = pixelCNN({ imageShape: [28, 28, 1], levels: 2, hiddenDim: 16, outDim: 32, numBlocks: 5 });
 * const { weightBytes, workBytes, multiplications } = costOf(await toPortable(model), { numImages: 16 });
 * console.log(`${(weightBytes + workBytes) / 1e6} MB, ${multiplications / 1e9} billion multiplications`);
 * ```
 */
export function costOf(model: PortableModel, given: CostOptions = {}): Cost {
  checkModel('costOf: model', model);
  const { numImages, imageShape: wanted } = readArguments('costOf', given, options);
  const imageShape = resolveImageShape('costOf: imageShape', model.imageShape, wanted);
  const [height, width] = imageShape;
  const { plan } = planned(model, { numImages, imageShape, distribution: distributionOf(model) });
  const { sharedFloats, chunkFloats, chunkImages, movingBases, fills, steps } = plan;
  const all = steps.flat();
  const numChunks = Math.ceil(numImages / chunkImages);
  const ofChunks = numChunks * (chunkFloats + FIRST_MOVING + movingBases.length);
  const weightFloats = sum(fills.map(({ length }) => length));
  const placesOf = ({ every }: Places) => (height / every) * (width / every);
  const work = steps.flatMap((ofTime, time) =>
    ofTime.map(({ code, places }) => workOf(code) * (time === plan.indexOfTime(ONCE) ? 1 : placesOf(places))),
  );
  return {
    weightBytes: 4 * weightFloats,
    workBytes: 4 * (sharedFloats - weightFloats + ofChunks + INSTRUCTION_WORDS * all.length),
    multiplications: numImages * sum(work),
  };
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/** The multiplications of an instruction at a place; of attention, which sees half of all places, on average. */
function workOf({ op, length, inputs = 0, weightStride = 0 }: Instruction): number {
  if (op === 'product' || op === 'productPacked' || op === 'depthwise') return length * inputs;
  return op === 'attend' ? (inputs / weightStride / 2) * (weightStride + length) : 0;
}
