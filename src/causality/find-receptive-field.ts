import type { LayersModel } from '@tensorflow/tfjs-layers';
import { integer, optional, readArguments } from '../core/arguments';
import { checkInteger } from '../core/check';
import { indexOfPlace, type Place, placeOf } from '../core/images';
import { channelOf, isSoftmax } from '../distributions/pixel-distribution';
import { imageModelShape } from '../models/image-model';
import { trace, warnOfObstacle } from '../portable/trace';
import { reach } from '../program/reach';
import { attemptsOf, changeEach, outputsByPlace, trialArguments, trialsOf } from './perturbation';

export const receptiveFieldArguments = {
  ...trialArguments,
  /** The row of the place whose outputs are examined. */
  row: integer(),
  /** The column of the place. */
  column: integer(),
  /** The channel of the place. @default 0 */
  channel: optional(integer(), 0),
};

/** The result of `receptiveField`. */
export interface ReceptiveField {
  /** The earlier places that the probabilities of the place depend on, in the order rows, columns, channels. */
  seen: Place[];
  /** The earlier places inside the window that they do not depend on. */
  blindSpot: Place[];
  /** The smallest range of rows and columns that contains everything seen, down to the row of the place itself. */
  window: { top: number; left: number; right: number };
}

/** Does what `receptiveField` documents. */
export async function findReceptiveField(model: LayersModel, options: object): Promise<ReceptiveField> {
  const shape = imageModelShape('receptiveField: model', model);
  const values = readArguments('receptiveField', options, receptiveFieldArguments);
  const { row, column, channel } = values;
  const trials = await trialsOf('receptiveField', shape, values);
  const { imageShape } = trials;
  const place: Place = [row, column, channel];
  for (const [i, name] of ['row', 'column', 'channel'].entries()) {
    checkInteger(`receptiveField: ${name}`, place[i], 0, (imageShape[i] as number) - 1);
  }

  const { distribution } = shape;
  /** Whether the probabilities of the place depend on outputs of a channel of its pixel. */
  const isOfPlace = (other: number) => (isSoftmax(distribution) ? other === channel : other <= channel);
  const isRead = (output: number) => isOfPlace(channelOf(distribution, output));
  const [start, end] = [indexOfPlace([row, column, 0], imageShape), indexOfPlace(place, imageShape)];
  const traced = trace(model, shape);
  let isSeen = new Uint8Array(end);
  if ('builder' in traced) {
    const program = { ...shape, nodes: traced.builder.nodes, output: traced.output };
    isSeen = reach(program, imageShape, place, isRead).slice(0, end);
  } else {
    const images = 2 * attemptsOf(trials) * end;
    const consequence = `${images} random images are tried, which misses what the weights switch off.`;
    if (end > 0) warnOfObstacle('receptiveField', model, traced.obstacle, consequence);
    const channels = [...new Array(imageShape[2]).keys()].filter(isOfPlace);
    await changeEach(outputsByPlace(model, distribution), [...isSeen.keys()], trials, (input, hasMoved) => {
      if (channels.some((other) => hasMoved(start + other))) isSeen[input] = 1;
    });
  }
  if (!isSoftmax(distribution)) isSeen.fill(1, start, end); // seen by the distribution itself

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
