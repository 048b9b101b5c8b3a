import type { LayersModel } from '@tensorflow/tfjs-layers';
import seedrandom from 'seedrandom';
import { checkArgs, checkInteger } from '../check';
import type { Condition } from '../image-model/conditions';
import { indexOfPlace, type Place, placeOf } from '../image-model/place';
import { imageModelShape, resolveImageShape } from '../image-model/shape';
import { changeEach, conditionsToTry, logitsByPlace } from './perturbation';

/** Options of {@link receptiveField}. */
export interface ReceptiveFieldOptions {
  /** Row of the place whose logits are looked at. */
  row: number;
  /** Column of that place. */
  column: number;
  /** @default 0 */
  channel?: number;
  /** [H, W, C]; needed where the model takes images of any size. @default the model's */
  imageShape?: [number, number, number];
  /** Seed of the images tried. @default 0 */
  seed?: number;
  /** Images a forward pass. @default 32 */
  batchSize?: number;
  /** What the images are conditioned on: a class, or of one image [1,K] or [1,H,W,K], for models that take it. @default any, at random */
  condition?: Condition;
}

/** What {@link receptiveField} finds. */
export interface ReceptiveField {
  /** Earlier places that the logits depend on, in the order rows, columns, channels. */
  seen: Place[];
  /** Earlier places that they do not depend on although the window holds them. */
  blindSpot: Place[];
  /** The smallest rows and columns that hold all that is seen, up to the row of the place itself. */
  window: { top: number; left: number; right: number };
}

/**
 * Which of the values before a place its logits depend on, found by changing each: what the model can see there, and what it is blind to. The stack of
 * "The Annotated Pixel-CNN" is blind to a triangle of pixels above and to the right, n (n + 1) / 2 of them for n blocks. A dependence that
 * the weights have switched off, by a ReLU that none of the images tried passes, is not seen: give a model that is not trained weights above 0, and small ones where it has gates, which saturate.
 *
 * Source: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders" (2016), section 2.2 and figure 1, on the blind spot.
 *
 * @throws TypeError (rejects) naming the option that is wrong; Error where the model gives logits that are not finite
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { pixelCNN, receptiveField } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [6, 11, 1], levels: 2, hiddenDim: 4, outDim: 4, numBlocks: 2 });
 * model.setWeights(model.getWeights().map((weight) => tf.add(tf.abs(weight), 0.05)));
 * const { seen, blindSpot, window } = await receptiveField(model, { row: 5, column: 5 });
 * console.log(seen.length, window.top); // 57 0
 * console.log(JSON.stringify(blindSpot)); // [[3,10,0],[4,9,0],[4,10,0]]
 * ```
 */
export async function receptiveField(
  model: LayersModel,
  options: ReceptiveFieldOptions,
): Promise<ReceptiveField> {
  const shape = imageModelShape('receptiveField: model', model);
  checkArgs('receptiveField: options', options);
  const imageShape = resolveImageShape('receptiveField: imageShape', shape, options.imageShape);
  const { row, column, channel = 0, seed = 0, batchSize = 32 } = options;
  const place: Place = [row, column, channel];
  for (const [i, name] of ['row', 'column', 'channel'].entries()) {
    checkInteger(`receptiveField: ${name}`, place[i], 0, (imageShape[i] as number) - 1);
  }
  checkInteger('receptiveField: batchSize', batchSize, 1);
  const random = seedrandom.alea(String(checkInteger('receptiveField: seed', seed)));

  const trials = { caller: 'receptiveField', batchSize, random };
  const what = 'receptiveField: condition';
  const conditions = await conditionsToTry(what, shape.condition, options.condition, imageShape, trials);

  const output = indexOfPlace(place, imageShape);
  const isSeen = new Uint8Array(output);
  const earlier = Array.from(isSeen, (_, index) => index);
  await changeEach(logitsByPlace(model, conditions), imageShape, earlier, trials, (input, hasMoved) => {
    if (hasMoved(output)) isSeen[input] = 1;
  });

  const places = earlier.map((index) => placeOf(index, imageShape));
  const seen = places.filter((_, index) => isSeen[index] === 1);
  const window = {
    top: Math.min(row, ...seen.map(([r]) => r)),
    left: Math.min(column, ...seen.map(([, c]) => c)),
    right: Math.max(column, ...seen.map(([, c]) => c)),
  };
  const blindSpot = places.filter(
    ([r, c], index) => isSeen[index] === 0 && r >= window.top && c >= window.left && c <= window.right,
  );
  return { seen, blindSpot, window };
}
