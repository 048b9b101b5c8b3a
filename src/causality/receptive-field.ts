import type { LayersModel } from '@tensorflow/tfjs-layers';
import { imageModelShape } from '../models/image-model';
import { trace, type Untraced, warnOfObstacle } from '../portable/trace';
import { type Given, integer, optional, readArguments } from '../runtime/core/arguments';
import { checkInteger } from '../runtime/core/check';
import { indexOfPlace, type Place, placeOf } from '../runtime/core/images';
import { channelOf, isSoftmax } from '../runtime/distributions/pixel-distribution';
import { reach } from '../runtime/program/reach';
import { attemptsOf, changeEach, outputsByPlace, trialArguments, trialsOf } from './perturbation';

const declared = {
  ...trialArguments,
  /** The row of the place whose outputs are examined. */
  row: integer(),
  /** The column of the place. */
  column: integer(),
  /** The channel of the place. @default 0 */
  channel: optional(integer(), 0),
};

/** Options of {@link receptiveField}. The options of forward passes apply only to models that are tested on images. */
export interface ReceptiveFieldOptions extends Given<typeof declared> {}

/** The result of {@link receptiveField}. */
export interface ReceptiveField {
  /** The earlier places that the probabilities of the place depend on, in the order rows, columns, channels. */
  seen: Place[];
  /** The earlier places inside the window that they do not depend on. */
  blindSpot: Place[];
  /** The smallest range of rows and columns that contains everything seen, down to the row of the place itself. */
  window: { top: number; left: number; right: number };
}

/**
 * Finds which of the values before a place its probabilities depend on: the receptive field and the blind spot of the
 * model there. Distributions other than the softmax themselves see the earlier channels of the pixel.
 *
 * If every layer can be evaluated pixel by pixel (see {@link PixelLayer}), the result follows from the graph and its
 * masks, exactly and for all weights. Any other model is tested: each value is changed in 4 random images, which
 * misses what the weights switch off or float32 rounds away; a warning, once for each model, names the layer.
 *
 * Source: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders" (2016),
 * https://arxiv.org/abs/1606.05328, section 2.2 and figure 1, on the blind spot.
 *
 * @throws TypeError (rejects) naming the invalid option; Error if a tested model has outputs that are not finite
 * @example
 * ```js
 * import { pixelCNN, receptiveField } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [6, 11, 1], levels: 2, hiddenDim: 4, outDim: 4, numBlocks: 2 });
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
  const values = readArguments('receptiveField', options, declared);
  const { row, column, channel } = values;
  const trials = await trialsOf('receptiveField', shape, values);
  const { imageShape } = trials;
  const place: Place = [row, column, channel];
  for (const [i, name] of ['row', 'column', 'channel'].entries()) {
    checkInteger(`receptiveField: ${name}`, place[i], 0, (imageShape[i] as number) - 1);
  }

  const { distribution, conditions } = shape;
  const areIndependent = isSoftmax(distribution) || distribution.data?.kind === 'gaussian'; // channels, given their outputs
  /** Whether the probabilities of the place depend on outputs of a channel of its pixel. */
  const isOfPlace = (other: number) => (areIndependent ? other === channel : other <= channel);
  const isRead = (output: number) => isOfPlace(channelOf(distribution, output));
  const [start, end] = [indexOfPlace([row, column, 0], imageShape), indexOfPlace(place, imageShape)];
  const traced = trace(model, shape);
  const program = 'builder' in traced ? traced : traced.late;
  let isSeen = new Uint8Array(end);
  if (program !== undefined) {
    const { builder: { nodes }, output } = program; // biome-ignore format: one line
    isSeen = reach({ nodes, output, conditions }, imageShape)(place, isRead).slice(0, end);
  } else {
    const images = 2 * attemptsOf(trials) * end;
    const consequence = `${images} random images are tried, which misses what the weights switch off.`;
    if (end > 0) warnOfObstacle('receptiveField', model, (traced as Untraced).obstacle, consequence);
    const channels = [...new Array(imageShape[2]).keys()].filter(isOfPlace);
    await changeEach(outputsByPlace(model, distribution), [...isSeen.keys()], trials, (input, hasMoved) => {
      if (channels.some((other) => hasMoved(start + other))) isSeen[input] = 1;
    });
  }
  if (!areIndependent) isSeen.fill(1, start, end); // seen by the distribution itself

  const places = Array.from(isSeen, (_, index) => placeOf(index, imageShape));
  const seen = places.filter((_, index) => isSeen[index] === 1);
  const window = { top: row, left: column, right: column };
  for (const [r, c] of seen) {
    window.top = Math.min(window.top, r);
    window.left = Math.min(window.left, c);
    window.right = Math.max(window.right, c);
  }
  const blindSpot = places.filter(
    ([r, c], index) => isSeen[index] === 0 && r >= window.top && c >= window.left && c <= window.right,
  );
  return { seen, blindSpot, window };
}
