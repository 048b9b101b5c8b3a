import { throwTypeError } from '../core/check';
import { type ConditionShape, isOfPlaces } from '../core/conditions';
import { isSeen, type KernelWindow, offsetOfTap, sightOf } from '../core/window';
import { gateInputs, type ImageNode, operandsOf, type ProgramNode } from './program';

// When a feature is ready, on a common clock: once for each image, before each row, before a pixel, after a number of
// its channels, or after the row. A later time is a greater number, so a result that depends on several features is
// ready at the greatest of their times.

/** Ready before the first pixel, and the same at every pixel. */
export const ONCE = -2;

/** Depends on rows above only: ready for all pixels of a row before its first one. */
export const ROW = -1;

/**
 * Depends on later pixels of its own row: ready for all pixels of a row once the last one is known, so only later rows
 * can use it.
 */
export const AFTER_ROW = Number.POSITIVE_INFINITY;

/** When the features of a node are ready, and at which places it has features. */
export interface Readiness {
  /**
   * The distance in rows and columns of the image between places with features: 1, or 2 and 4 in networks of several
   * resolutions.
   */
  readonly scale: number;
  /**
   * For each feature {@link ONCE}, {@link ROW}, {@link AFTER_ROW}, or how many channels of the present pixel
   * must be known before it can be computed: 0 where it depends on earlier pixels only.
   */
  readonly times: readonly number[];
}

/** Thrown for a node whose resolution or size does not fit. */
export class UnfitResolution extends Error {
  constructor(
    /** The index of the node. */
    readonly node: number,
    op: ProgramNode['op'] | 'output',
    readonly reason: string,
  ) {
    super(`node ${node} (${op}): ${reason}`);
  }
}

/**
 * When each node is ready.
 *
 * @throws UnfitResolution if features of different resolutions are combined, or one is finer than the image
 */
export function readinessOf(nodes: readonly ImageNode[], conditions: readonly ConditionShape[]): Readiness[] {
  const all: Readiness[] = [];
  for (const [index, node] of nodes.entries()) {
    const operands = operandsOf(node).map((operand) => all[operand] as Readiness);
    const scale = scaleOf(node, index, operands);
    const times = timesOf(node, conditions, (operand) => (all[operand] as Readiness).times);
    const isConstantOverPixels = operands.every((operand) => operand.times.every((time) => time === ONCE));
    all.push({ scale, times: isConstantOverPixels ? times : times.map((time) => Math.max(time, ROW)) });
  }
  return all;
}

/**
 * Checks that the size of an image, as far as it is known, is a multiple of the coarsest scale.
 *
 * @throws TypeError if it is not
 */
export function checkImageSize(
  what: string,
  imageShape: readonly [height: number | null, width: number | null, channels: number],
  readiness: readonly Readiness[],
): void {
  const scale = readiness.reduce((greatest, { scale }) => Math.max(greatest, scale), 1);
  const [height, width] = imageShape;
  if ((height ?? 0) % scale !== 0 || (width ?? 0) % scale !== 0)
    throwTypeError(what, `height and width that are multiples of ${scale}`, imageShape);
}

/** The scale of a node. Features that are the same at every pixel fit any scale. */
function scaleOf(node: ImageNode, index: number, operands: readonly Readiness[]): number {
  const scales = operands
    .filter(({ times }) => times.some((time) => time !== ONCE))
    .map(({ scale }) => scale);
  const [scale] = scales;
  if (scale === undefined) return 1;
  if (scales.some((other) => other !== scale)) {
    const reason = `its operands have several resolutions, ${scales.join(' and ')}`;
    throw new UnfitResolution(index, node.op, reason);
  }
  if (node.op !== 'conv' || node.window.stride === 1) return scale;
  const { stride, transposed } = node.window;
  if (!transposed) return scale * stride;
  if (scale % stride !== 0)
    throw new UnfitResolution(index, node.op, "its resolution is finer than the image's");
  return scale / stride;
}

function timesOf(
  node: ImageNode,
  conditions: readonly ConditionShape[],
  of: (operand: number) => readonly number[],
): readonly number[] {
  switch (node.op) {
    case 'image':
      return Array.from({ length: node.size }, (_, channel) => channel + 1);
    case 'condition':
      return new Array<number>(node.size).fill(
        isOfPlaces(conditions[node.index] as ConditionShape) ? ROW : ONCE,
      );
    case 'conv':
      return convTimes(of(node.input), node.size, node.window);
    case 'shift':
      return of(node.input).map((time) => shiftedTime(time, node));
    case 'attend':
      return attendTimes(node.inputs.map(of), node.heads);
    case 'lstm':
      return lstmTimes(of(node.input), node);
    case 'concatElu':
      return [...of(node.input), ...of(node.input)];
    case 'normalize':
    case 'softmax':
    case 'logSoftmax':
      return spread(latestOfGroups(of(node.input), node.groups), node.size);
    case 'slice':
      return of(node.input).slice(node.start, node.start + node.size);
    case 'oneHot':
    case 'oneHotLevels':
    case 'embedLevels': // the features of each number are ready when it is
      return spread(of(node.input), node.size);
    case 'gate':
    case 'linearGate':
      return gateInputs(node).map((halves) => latest(halves.map((half) => of(node.input)[half] as number)));
    case 'concat':
      return node.inputs.flatMap((input) => of(input));
    default:
      return operandsOf(node)
        .map(of)
        .reduce((all, times) => all.map((time, feature) => Math.max(time, times[feature] as number)));
  }
}

/**
 * When a feature of an earlier place can be read: those of rows above before the row, those of pixels to the left when
 * the pixel begins, unless they wait for the end of the row.
 */
function shiftedTime(time: number, { rows, columns }: { rows: number; columns: number }): number {
  if (rows > 0) return ROW;
  if (columns === 0) return time;
  return time === AFTER_ROW ? AFTER_ROW : Math.min(time, 0);
}

/** For each head: when its query is ready, and the keys and values of earlier places are available. */
function attendTimes([queries = [], ...keysAndValues]: (readonly number[])[], heads: number): number[] {
  const ofEarlier = keysAndValues.map((times) =>
    times.map((time) => shiftedTime(time, { rows: 0, columns: 1 })),
  );
  const all = [queries, ...ofEarlier].map((times) => latestOfGroups(times, heads));
  return spread(
    Array.from({ length: heads }, (_, head) => latest(all.map((times) => times[head] as number))),
    queries.length,
  );
}

/**
 * When the states are ready. Along rows, those of a group wait only for its own gates: the states that they come from
 * are in the row above. Along diagonals they also come from all groups of the pixel beside. From the left, that pixel is
 * known when this one begins; but if some gates wait for the end of the row, so do all states. From the right, states
 * have seen the rest of the row, and are ready after it. If all gates are known before the row, so are all states.
 */
function lstmTimes(
  gates: readonly number[],
  { path, groups, size }: Pick<Extract<ProgramNode, { op: 'lstm' }>, 'path' | 'groups' | 'size'>,
): number[] {
  const last = latest(gates);
  if (path !== 'rows' && (last <= ROW || last === AFTER_ROW || path === 'fromRight'))
    return new Array<number>(size).fill(last <= ROW ? ROW : AFTER_ROW);
  const times = latestOfGroups(gates, groups);
  return spread(path === 'rows' ? times : times.map((time) => Math.max(time, 0)), size);
}

/** The latest of a list of times, which may be too long to pass as arguments. */
const latest = (times: readonly number[]): number =>
  times.reduce((last, time) => Math.max(last, time), Number.NEGATIVE_INFINITY);

/** The latest time of each group of features. */
function latestOfGroups(times: readonly number[], groups: number): number[] {
  const size = times.length / groups;
  return Array.from({ length: groups }, (_, group) => latest(times.slice(group * size, (group + 1) * size)));
}

/** Expands the times of groups to those of their features. */
function spread(times: readonly number[], features: number): number[] {
  const all = new Array<number>(features);
  const size = features / times.length;
  for (const [group, time] of times.entries()) all.fill(time, group * size, (group + 1) * size);
  return all;
}

/**
 * An output of a convolution is ready when everything its window sees is. Rows above are known before the row, pixels
 * to the left before the pixel, and pixels to the right after the row. So all outputs of one channel are ready at the
 * same time.
 */
function convTimes(inputs: readonly number[], featuresOut: number, window: KernelWindow): number[] {
  const ofChannels = latestOfGroups(inputs, window.imageChannels);
  const times = ofChannels.map((_, channel) => timeOfChannel(ofChannels, channel, window));
  return spread(times, featuresOut);
}

/** When the outputs of one channel are ready, given the times of the inputs of each channel. */
function timeOfChannel(inputs: readonly number[], channelOut: number, window: KernelWindow): number {
  const { anchor, kernelSize } = window;
  const last = latest(inputs);
  let time = ONCE;
  for (let column = 0; column < kernelSize[1]; column++) {
    const [, right] = offsetOfTap(window, anchor[0], column);
    const sight = sightOf(window, anchor[0], column);
    if (right === 0) {
      const seen = inputs.filter((_, channelIn) => isSeen(sight, channelIn, channelOut));
      time = Math.max(time, latest(seen));
    } else if (sight !== 'nothing') {
      const isLeft = right < 0 && last !== AFTER_ROW; // known with the pixels to the left
      time = Math.max(time, last <= ROW ? last : isLeft ? 0 : AFTER_ROW);
    }
  }
  return time;
}

/**
 * The first channel with an output that is ready only after the channel's turn, which means that it sees that channel
 * or a later one; -1 if there is none. `times` are those of the outputs, and `channelOf` gives the channel of each.
 */
export function firstLeak(times: readonly number[], channelOf: (output: number) => number): number {
  const leak = times.findIndex((time, output) => time > channelOf(output));
  return leak < 0 ? -1 : channelOf(leak);
}
