import { throwTypeError } from '../core/check';
import { dilationWithin } from '../core/window';
import {
  channelsOf,
  isSoftmax,
  outputStride,
  type PixelDistribution,
} from '../distributions/pixel-distribution';
import { type Operand, wholeVectors } from '../kernels/instruction';
import { type ImageNode, numbersOf, operandsOf, type PortableModel, type Weight } from '../program/program';
import type { Readiness } from '../program/readiness';
import { AFTER_ROW, ONCE, ROW } from '../program/times';
import { Layout } from './layout';
import type { Lowering } from './lowering';
import { lowerings } from './operations';
import { addLevelNumbers } from './operations/levels';
import { type Extent, FeatureCache, ONE_PIXEL, type Plan } from './plan';
import { addCopies, inLayout, slotsOfImages } from './runs';

interface ProgramSource extends Pick<PortableModel, 'output' | 'weights'> {
  readonly nodes: readonly ImageNode[];
  /** The levels of its image, if it has one. */
  readonly levels?: number;
}

/** Where to write a program's image and read its output, at the current pixel of each image. */
export interface ProgramIO {
  /** Levels in [0, 1], [channels]. */
  readonly image: Operand;
  /** The levels as numbers from 1 on, [channels], once for each kind of reader that needs categories. */
  readonly categories: readonly Operand[];
  /** Where to write each condition, by its index: once, or for the pixels of each row. */
  readonly conditions: readonly { readonly index: number; readonly to: Operand }[];
  readonly output: FeatureCache;
}

/** Plans each node of a program, for images of so many rows. `due` is the time at which each output is read. */
export function compile(
  plan: Plan,
  height: number,
  { nodes: given, output, weights, levels: imageLevels }: ProgramSource,
  ready: readonly Readiness[],
  due: readonly number[],
): ProgramIO {
  const nodes = given.map((node) => withinImage(node, height, plan.width));
  const readers = readersOf(nodes, output);
  const needed = [...nodes.keys()].filter((index) => index === output || readers[index]?.length !== 0);
  const readiness = whenComputed(nodes, ready, readers, { output, due });
  // Convolutions of one-hot vectors do not read these, but look up rows of their kernels by the numbers of the levels.
  const isLookUp = (node: ImageNode | undefined) => node?.op === 'conv' && node.window.groups === undefined;
  const lookUps = nodes.map(({ op }, index) =>
    op === 'oneHotLevels' ? (readers[index] ?? []).filter((reader) => isLookUp(nodes[reader])) : [],
  );
  const relus = fusedRelus(nodes, readers, output);
  const fused = new Set(relus.values());
  const layouts = layoutsOf(nodes, readiness);
  let last: Weight | undefined; // the last one asked for, kept for kernels that are laid out in many parts
  let unpacked: Float32Array;
  const weight = (name: string) =>
    weights.get(name) ?? throwTypeError('model: weights', `one named '${name}'`, undefined);
  const numbers = (name: string) => {
    const found = weight(name);
    if (found !== last) unpacked = numbersOf(found);
    last = found;
    return unpacked;
  };
  /** A cache for the features of a node, or for their `levels`, as these readers need it. */
  const cacheFor = (index: number, layout: Layout, readers: readonly number[], levels?: number) => {
    const extent = extentOf(nodes, readiness, index, readers);
    const isTemporary = index !== output && extent.isTemporary === true;
    return new FeatureCache(plan, layout, { ...extent, isTemporary }, readiness[index]?.scale, levels);
  };
  const caches: FeatureCache[] = [];
  /** Where a node's features are, for all readers that do not look up: reserved when it is first asked for. */
  const cache = (index: number) => {
    const others = () => readers[index]?.filter((reader) => !lookUps[index]?.includes(reader)) ?? [];
    caches[index] ??= cacheFor(index, layouts[index] as Layout, others());
    return caches[index];
  };
  const levelNumbers: FeatureCache[] = []; // of the operand of each node that wants them
  const categories: Operand[] = [];
  /** The numbers of the levels in a node's operand: written with the image's, or computed from its features. */
  const numbersOfLevels = (index: number, operand: number, levels: number) => {
    const layout = Layout.of((readiness[operand] as Readiness).times, false);
    const y = cacheFor(index, layout, lookUps[index] as number[], levels);
    if (nodes[operand]?.op === 'image' && levels === imageLevels) categories.push(y.operand());
    else addLevelNumbers(plan, levels, cache(operand), y);
    return y;
  };
  /** What a node reads for an operand: numbers of levels, its own or those that it looks up, else features. */
  const inputOf = (index: number, operand: number) => {
    const isLookUp = lookUps[operand]?.includes(index);
    return (isLookUp ? levelNumbers[operand] : levelNumbers[index]) ?? cache(operand);
  };
  for (const index of needed) {
    const node = nodes[index] as ImageNode;
    const lowering = loweringOf(node);
    const operands = operandsOf(node);
    const levels = lowering.levels?.(node, weights);
    if (levels !== undefined) levelNumbers[index] = numbersOfLevels(index, operands[0] as number, levels);
    const numLookUps = lookUps[index]?.length ?? 0;
    const isOnlyLookedUp = numLookUps > 0 && index !== output && numLookUps === readers[index]?.length;
    if (!isOnlyLookedUp && !fused.has(index)) {
      const inputs = operands.map((operand) => inputOf(index, operand)) as [FeatureCache, ...FeatureCache[]];
      const relu = relus.get(index);
      lowering.emit(
        { plan, height, weight, numbers },
        node,
        inputs,
        cache(relu ?? index),
        relu !== undefined,
      );
    }
    for (const operand of new Set(operands)) {
      if (readers[operand]?.at(-1) === index) caches[operand]?.release();
    }
  }
  const conditions = needed.flatMap((at) => {
    const node = nodes[at] as ImageNode;
    return node.op === 'condition' ? [{ index: node.index, to: cache(at).operand() }] : [];
  });
  return { image: cache(0).operand(), categories, conditions, output: cache(output) };
}

/** A node that looks no further than the image, so that no memory is kept for more. */
function withinImage(node: ImageNode, height: number, width: number): ImageNode {
  if (node.op !== 'conv' || node.window.dilation === undefined) return node;
  return { ...node, window: { ...node.window, dilation: dilationWithin(node.window, height, width) } };
}

/** Copies the outputs of each channel, at its time, to where they are read: [{@link outputStride}]. */
export function addOutputs(plan: Plan, x: FeatureCache, distribution: PixelDistribution): Operand {
  const channels = channelsOf(distribution);
  if (isSoftmax(distribution)) return addLogits(plan, x, channels, distribution.levels);
  const isThere = x.isOnePixel && x.layout.isLike(Layout.of(channels.map(() => 0)));
  if (isThere) return x.operand();
  const outputs = slotsOfImages(plan, outputStride(distribution), x.places);
  addCopies(plan, outputs, { times: channels, slotOf: [...channels.keys()] }, x);
  return outputs.operand();
}

/** The logits of a channel overwrite those of the channel before. */
function addLogits(plan: Plan, x: FeatureCache, channels: readonly number[], levels: number): Operand {
  const sideBySide = inLayout(plan, x, Layout.of(channels), false); // the levels of each channel
  if (plan.channels === 1 && sideBySide.isOnePixel) return sideBySide.operand(); // they are already in place
  const length = wholeVectors(levels);
  const logits = plan.reserveForImages(1, length);
  for (let channel = 0; channel < plan.channels; channel++) {
    const a = sideBySide.operand(sideBySide.layout.slotOf[channel * levels]);
    plan.emit(channel, { op: 'copy', y: logits, a, length });
  }
  return logits;
}

/** The layout of each node's features: its operands' layout if possible, so that whole runs are computed at once. */
function layoutsOf(nodes: readonly ImageNode[], readiness: readonly Readiness[]): Layout[] {
  const layouts: Layout[] = [];
  for (const [index, { times }] of readiness.entries()) {
    const node = nodes[index] as ImageNode;
    const operands = operandsOf(node).map((operand) => layouts[operand] as Layout);
    const { layout } = loweringOf(node);
    const like = layout === 'concatenated' ? Layout.concat(operands) : operands[0];
    const isKept = like?.isAligned && like.hasTimes(times) && layout !== 'sideBySide';
    if (node.op === 'image') layouts.push(Layout.of(times, false));
    else layouts.push(isKept ? like : Layout.of(times));
  }
  return layouts;
}

const loweringOf = (node: ImageNode) => lowerings[node.op] as Lowering;

/** For each node, the nodes that read it, in order, among those that the outputs depend on. */
function readersOf(nodes: readonly ImageNode[], output: number): number[][] {
  const readers = nodes.map(() => [] as number[]);
  for (const [index, node] of [...nodes.entries()].reverse()) {
    if (index === output || readers[index]?.length !== 0)
      for (const operand of operandsOf(node)) readers[operand]?.unshift(index);
  }
  return readers;
}

/**
 * When each node is computed. If a node combines features of rows above with features of the current pixel, and its
 * readers need both, all of its features wait for the pixel. They are then computed together, and only one pixel of
 * them is stored instead of a row. The outputs have a reader that is no node, which reads each of them when it is due.
 */
function whenComputed(
  nodes: readonly ImageNode[],
  ready: readonly Readiness[],
  readers: readonly (readonly number[])[],
  { output, due }: { readonly output: number; readonly due: readonly number[] },
): Readiness[] {
  const all = [...ready];
  for (const [index, node] of [...nodes.entries()].reverse()) {
    const { scale, times } = all[index] as Readiness;
    const ofPixel = times.filter((time) => time > ROW && time !== AFTER_ROW);
    const isJoined = ofPixel.length > 0 && times.includes(ROW) && node.op !== 'conv' && node.op !== 'image';
    const first = ofPixel.reduce((least, time) => Math.min(least, time), Infinity);
    const isLater = (times: readonly number[]) => times.every((time) => time >= first);
    const readTimes = (readers[index] ?? []).map((reader) => (all[reader] as Readiness).times);
    if (index === output) readTimes.push(due);
    if (!isJoined || !readTimes.every(isLater)) continue;
    all[index] = { scale, times: times.map((time) => (time === ROW ? first : time)) };
  }
  return all;
}

/** Convolutions whose only reader is a ReLU, into which it is fused. Maps the convolution's node to the ReLU's. */
function fusedRelus(nodes: readonly ImageNode[], readers: readonly (readonly number[])[], output: number) {
  const fused = new Map<number, number>();
  for (const [index, node] of nodes.entries()) {
    const [reader, ...others] = readers[index] as number[];
    if (node.op !== 'conv' || index === output || reader === undefined || others.length > 0) continue;
    const only = nodes[reader] as ImageNode;
    if (only.op === 'pointwise' && only.fn === 'relu') fused.set(index, reader);
  }
  return fused;
}

const NOTHING = { above: 0, columns: 0 };

/** How far readers, or an LSTM itself, look around in a node. If all pixels are equal, one is stored. */
function extentOf(
  nodes: readonly ImageNode[],
  readiness: readonly Readiness[],
  index: number,
  readers: readonly number[],
): Extent {
  if (readiness[index]?.times.includes(ONCE)) return ONE_PIXEL;
  const node = nodes[index] as ImageNode;
  const own = loweringOf(node).readsOwn?.(node) ?? NOTHING;
  const isOfRow = (node: number) => readiness[node]?.times.every((time) => time === ROW) ?? false;
  const isKept = own.above > 0 || node.op === 'condition'; // reads the previous row, or is written when the row begins
  const isTemporary = !isKept && readers.length > 0 && [index, ...readers].every(isOfRow);
  return readers.reduce<Extent>(
    (extent, reader) => {
      const node = nodes[reader] as ImageNode;
      const isReadAfterRow = readiness[reader]?.times.includes(AFTER_ROW) ?? false;
      // A coarse row is read again while finer rows below it are computed.
      const isEnlarged = node.op === 'conv' && node.window.transposed && node.window.stride > 1;
      const { above, columns } = loweringOf(node).reads?.(node) ?? NOTHING;
      return {
        rows: Math.max(extent.rows, above + 1),
        margin: Math.max(extent.margin, columns),
        isWholeRow: extent.isWholeRow || isReadAfterRow || isEnlarged,
        isTemporary: extent.isTemporary === true && above === 0 && columns === 0 && !isEnlarged,
      };
    },
    { ...ONE_PIXEL, rows: own.above + 1, margin: own.columns, isTemporary },
  );
}
