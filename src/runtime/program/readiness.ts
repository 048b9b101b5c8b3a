import { throwTypeError } from '../core/check';
import { type ConditionShape, isOfPlaces } from '../core/conditions';
import { oneByOne, type Read } from './operation';
import { operationOf } from './operations';
import { type ImageNode, operandsOf, type ProgramNode } from './program';
import { AFTER_ROW, ONCE, ROW } from './times';

/** When the features of a node are ready, and at which places they exist. */
export interface Readiness {
  /** Rows and columns of the image from one place with features to the next: 1, or 2 and 4 in coarser maps. */
  readonly scale: number;
  /** For each feature `ONCE`, `ROW`, `AFTER_ROW`, or how many channels of the pixel must be known before. */
  readonly times: readonly number[];
}

/** Thrown for a node whose resolution or size does not fit. */
export class UnfitResolution extends Error {
  constructor(
    readonly node: number,
    op: ProgramNode['op'] | 'output',
    readonly reason: string,
  ) {
    super(`node ${node} (${op}): ${reason}`);
  }
}

/**
 * Computes when each node is ready.
 *
 * @throws UnfitResolution if features of different resolutions are combined, or one is finer than the image
 */
export function readinessOf(nodes: readonly ImageNode[], conditions: readonly ConditionShape[]): Readiness[] {
  const all: Readiness[] = [];
  for (const [index, node] of nodes.entries()) {
    const operands = operandsOf(node).map((operand) => all[operand] as Readiness);
    const scale = scaleOf(node, index, operands);
    const times = timesOf(node, operands, conditions);
    const isConstantOverPixels = operands.every((operand) => operand.times.every((time) => time === ONCE));
    all.push({ scale, times: isConstantOverPixels ? times : times.map((time) => Math.max(time, ROW)) });
  }
  return all;
}

/** When each feature of a node is ready: once everything that it is computed from is. */
function timesOf(node: ImageNode, operands: readonly Readiness[], conditions: readonly ConditionShape[]) {
  const times = new Array<number>(node.size).fill(ONCE);
  if (node.op === 'image') return times.map((_, channel) => channel + 1);
  if (node.op === 'condition')
    return times.fill(isOfPlaces(conditions[node.index] as ConditionShape) ? ROW : ONCE);
  const sizes = operands.map((operand) => operand.times.length);
  for (const { features, operand, of, isOneByOne, at } of readsOf(node, sizes)) {
    // 'own' is the last read, after all others have set `times`
    const read = (operand === 'own' ? times : (operands[operand] as Readiness).times).slice(...of);
    const last = read.reduce((last, time) => Math.max(last, time), -Infinity);
    for (let i = 0; i < features[1] - features[0]; i++) {
      const time = timeOfRead(isOneByOne ? (read[i] as number) : last, at);
      times[features[0] + i] = Math.max(times[features[0] + i] as number, time);
    }
  }
  return times;
}

/** What the features of a node are computed from; by default the same feature of each operand. */
export function readsOf(node: ProgramNode, sizes: readonly number[]): readonly Read[] {
  const given = operationOf(node).reads?.(node, sizes);
  return given ?? sizes.map((_, operand) => oneByOne([0, node.size], 0, operand));
}

/**
 * When a feature can be read from another place. Rows above are known before the row begins; pixels to the
 * left when the pixel begins, unless they wait for the end of the row; pixels to the right after the row.
 */
export function timeOfRead(time: number, at: Read['at'] = [0, 0]): number {
  const [down, right] = typeof at === 'string' ? [0, -1] : at;
  if (down < 0) return ROW;
  if (right === 0 || time <= ROW || time === AFTER_ROW) return time;
  return right < 0 ? 0 : AFTER_ROW;
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
  const ofPixels = operands.filter(({ times }) => times.some((time) => time !== ONCE));
  const scales = ofPixels.map(({ scale }) => scale);
  const [scale] = scales;
  if (scale === undefined) return 1;
  const several = `its operands have several resolutions, ${scales.join(' and ')}`;
  if (scales.some((other) => other !== scale)) throw new UnfitResolution(index, node.op, several);
  const scaled = scale * factorOf(node);
  if (scaled < 1) throw new UnfitResolution(index, node.op, "its resolution is finer than the image's");
  return scaled;
}

/** The distance of a node's places divided by the distance of its operands' places. */
export const factorOf = (node: ProgramNode): number => operationOf(node).scale?.(node) ?? 1;

/**
 * The first channel with an output that is ready only after the channel's turn, which means that it sees that
 * channel or a later one; -1 if there is none. `times` and `channelOf` give each output's time and channel.
 */
export function firstLeak(times: readonly number[], channelOf: (output: number) => number): number {
  const leak = times.findIndex((time, output) => time > channelOf(output));
  return leak < 0 ? -1 : channelOf(leak);
}
