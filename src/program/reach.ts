import type { ImageShape, Place } from '../core/images';
import { isSeen, type KernelWindow, offsetOfTap, sightOf } from '../core/window';
import { imageProgram } from './maps';
import { type PortableModel, type ProgramNode, type Source, sourcesOf } from './program';
import { checkImageSize, type Readiness, readinessOf } from './readiness';

/** The features [height,width,features] of a node, 1 where one is needed. */
interface Need {
  readonly height: number;
  readonly width: number;
  readonly features: number;
  readonly isNeeded: Uint8Array;
}

/**
 * The values that the selected outputs of a pixel can depend on, judged from the graph and its masks, whatever the
 * weights: [H*W*C], 1 for each such value.
 *
 * Goes through the program from the outputs back to the image. A feature that is needed at a pixel needs its own
 * operands: at the same pixel, or in the unmasked part of its convolution's window.
 *
 * @throws TypeError if the size of the image is not a multiple of the program's coarsest resolution
 */
export function reach(
  model: Pick<PortableModel, 'nodes' | 'output' | 'conditions'>,
  imageShape: ImageShape,
  [row, column]: Readonly<Place>,
  isRead: (output: number) => boolean,
): Uint8Array {
  const { output } = model;
  const { nodes, conditions } = imageProgram({ ...model, imageShape }); // maps computed before the image depend on no pixel
  const readiness = readinessOf(nodes, conditions);
  checkImageSize('imageShape', imageShape, readiness);
  const needs = nodes.map(({ size }, index): Need => {
    const [height, width] = imageShape.map((length) => length / (readiness[index] as Readiness).scale);
    const shape = { height: height as number, width: width as number, features: size };
    return { ...shape, isNeeded: new Uint8Array(shape.height * shape.width * size) };
  });
  const needOf = (node: number) => needs[node] as Need;
  for (let feature = 0; feature < needOf(output).features; feature++) {
    if (isRead(feature)) need(needOf(output), row, column, feature);
  }
  for (const [index, node] of [...nodes.entries()].reverse()) {
    if (node.op === 'image' || node.op === 'condition') continue;
    if (node.op === 'conv') needOfConv(node.window, needOf(index), needOf(node.input));
    else if (node.op === 'shift') needOfShift(node.rows, node.columns, needOf(index), needOf(node.input));
    else if (node.op === 'lstm') needOfLSTM(node, needOf(index), needOf(node.input));
    else if (node.op === 'attend') needOfAttention(node.heads, needOf(index), node.inputs.map(needOf));
    else {
      const sources = sourcesOf(nodes, node);
      eachNeeded(needOf(index), (y, x, feature) => {
        for (const [operand, source] of sources[feature] as Source[]) need(needOf(operand), y, x, source);
      });
    }
  }
  return needOf(0).isNeeded;
}

/** Marks a feature, if it lies in the image: the zeros around it depend on nothing. */
function need(
  { height, width, features, isNeeded }: Need,
  row: number,
  column: number,
  feature: number,
): void {
  if (row < 0 || row >= height || column < 0 || column >= width) return;
  isNeeded[(row * width + column) * features + feature] = 1;
}

/** Calls a function for each feature that is needed. */
function eachNeeded(
  { width, features, isNeeded }: Need,
  act: (row: number, column: number, feature: number) => void,
): void {
  for (let index = isNeeded.indexOf(1); index >= 0; index = isNeeded.indexOf(1, index + 1)) {
    const pixel = Math.floor(index / features);
    act(Math.floor(pixel / width), pixel % width, index % features);
  }
}

/** Marks the features that shifted features come from. */
function needOfShift(rows: number, columns: number, outputs: Need, inputs: Need): void {
  eachNeeded(outputs, (row, column, feature) => need(inputs, row - rows, column - columns, feature));
}

/**
 * Marks what attention depends on: for each head its query, and the keys and values of all earlier places. If there is
 * only one earlier place, its value is taken whatever query and key are; the first place depends on nothing.
 */
function needOfAttention(heads: number, outputs: Need, inputs: readonly Need[]): void {
  const [queries, keys, values] = inputs as [Need, Need, Need];
  const { width, features } = outputs;
  const size = features / heads;
  const lastOfHead = new Array<number>(heads).fill(0);
  const lastOf = new Array<number>(features).fill(0);
  eachNeeded(outputs, (row, column, feature) => {
    const place = row * width + column; // this many places are earlier
    const head = Math.floor(feature / size);
    lastOf[feature] = Math.max(lastOf[feature] as number, place);
    lastOfHead[head] = Math.max(lastOfHead[head] as number, place);
    if (place < 2) return;
    for (let f = head * size; f < (head + 1) * size; f++) need(queries, row, column, f);
  });
  const needBefore = (of: Need, end: number, feature: number) => {
    for (let place = 0; place < end; place++) need(of, Math.floor(place / width), place % width, feature);
  };
  for (let feature = 0; feature < features; feature++) {
    needBefore(values, lastOf[feature] as number, feature);
    const last = lastOfHead[Math.floor(feature / size)] as number;
    if (last >= 2) needBefore(keys, last, feature);
  }
}

/**
 * Marks what the states of an LSTM depend on: their gates, and all earlier states that their kernel sees, which in turn
 * need the same. The forget gate counts only if there was an earlier cell.
 */
function needOfLSTM(
  { path, kernelSize, groups }: Extract<ProgramNode, { op: 'lstm' }>,
  states: Need,
  gates: Need,
): void {
  const { height, width, features, isNeeded } = states;
  const group = features / groups;
  const left = kernelSize[1] >> 1;
  const above = Array.from({ length: kernelSize[1] }, (_, tap) => [-1, tap - left] as const);
  const toCell = ({ rows: [-1, 0], fromLeft: [0, -1], fromRight: [0, 1] } as const)[path];
  const seen = path === 'rows' ? above : [...above, toCell];
  for (let row = height - 1; row >= 0; row--) {
    for (let i = 0; i < width; i++) {
      const column = path === 'fromRight' ? i : width - 1 - i; // against the path
      const first = (row * width + column) * features;
      if (!isNeeded.subarray(first, first + features).includes(1)) continue;
      const isFirstCell = row + toCell[0] < 0 || column + toCell[1] < 0 || column + toCell[1] >= width;
      for (let f = 0; f < features; f++) {
        if (isNeeded[first + f] === 0) continue;
        const o = f + 3 * (f - (f % group)); // of z, then f, i and g
        for (const part of isFirstCell ? [0, 2, 3] : [0, 1, 2, 3]) need(gates, row, column, o + part * group);
      }
      for (const [down, right] of seen)
        for (let f = 0; f < features; f++) need(states, row + down, column + right, f);
    }
  }
}

/** Marks the inputs that a convolution sees for the needed outputs. */
function needOfConv(window: KernelWindow, outputs: Need, inputs: Need): void {
  const { width, features, isNeeded } = outputs;
  const { stride, transposed } = window;
  // The distances between places of outputs, and of inputs, on the finer of both maps.
  const [ofOutputs, ofInputs] = transposed ? [1, stride] : [stride, 1];
  const tapsOf = tapsByNeed(window, inputs.features, features);
  for (let pixel = 0; pixel < isNeeded.length / features; pixel++) {
    const ofPixel = isNeeded.subarray(pixel * features, (pixel + 1) * features);
    if (!ofPixel.includes(1)) continue;
    const [row, column] = [Math.floor(pixel / width) * ofOutputs, (pixel % width) * ofOutputs];
    for (const { offset, features } of tapsOf(ofPixel)) {
      const [y, x] = [(row + offset[0]) / ofInputs, (column + offset[1]) / ofInputs];
      if (!Number.isInteger(y) || !Number.isInteger(x)) continue; // between places
      for (const feature of features) need(inputs, y, x, feature);
    }
  }
}

/** A tap of a kernel, and the features seen there. */
interface SeenTap {
  readonly offset: readonly [down: number, right: number];
  readonly features: readonly number[];
}

/**
 * For the needed outputs of a pixel [out], and for each tap of the kernel, the inputs that any of them sees. Cached,
 * since the same combination of outputs is needed at many pixels.
 */
function tapsByNeed(
  window: KernelWindow,
  featuresIn: number,
  featuresOut: number,
): (need: Uint8Array) => readonly SeenTap[] {
  const [rows, columns] = window.kernelSize;
  const channelOf = (feature: number, features: number) =>
    Math.floor((feature * window.imageChannels) / features);
  const inputs = Array.from({ length: featuresIn }, (_, input) => input);
  const known = new Map<string, SeenTap[]>();
  return (need) => {
    const key = need.join('');
    const before = known.get(key);
    if (before !== undefined) return before;
    const channels = [...need.keys()].filter((o) => need[o] === 1).map((o) => channelOf(o, featuresOut));
    const last = Math.max(...channels); // it sees all that the others see
    const taps = Array.from({ length: rows * columns }, (_, tap) => {
      const [row, column] = [Math.floor(tap / columns), tap % columns];
      const sight = sightOf(window, row, column);
      return {
        offset: offsetOfTap(window, row, column),
        features: inputs.filter((input) => isSeen(sight, channelOf(input, featuresIn), last)),
      };
    }).filter(({ features }) => features.length > 0);
    known.set(key, taps);
    return taps;
  };
}
