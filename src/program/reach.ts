import type { ImageShape, Place } from '../core/images';
import { isSeen, offsetOfTap, sightOf, type Window } from '../core/window';
import { imageProgram } from './maps';
import { type Node, type PortableModel, type Source, sourcesOf } from './program';
import { checkImageSize, type Readiness, readinessOf } from './readiness';

/** The features [height,width,features] of a node, 1 where one is needed. */
interface Need {
  readonly height: number;
  readonly width: number;
  readonly features: number;
  readonly isNeeded: Uint8Array;
}

/**
 * The values that those outputs of a pixel which are read can be made of, by the graph and its masks, whatever the
 * weights: [H*W*C], 1 where one is.
 *
 * Goes through the program from the outputs back to the image. A feature that is needed at a pixel needs what
 * it is made of: of the same pixel, or of the window that its convolution leaves unmasked.
 *
 * @throws TypeError where the image is of a size that the resolutions of the program do not divide
 */
export function reach(
  model: Pick<PortableModel, 'nodes' | 'output' | 'conditions'>,
  imageShape: ImageShape,
  [row, column]: Readonly<Place>,
  isRead: (output: number) => boolean,
): Uint8Array {
  const { output } = model;
  const { nodes, conditions } = imageProgram({ ...model, imageShape }); // maps that come before are made of no pixel
  const readiness = readinessOf(nodes, conditions);
  checkImageSize('imageShape', imageShape, readiness);
  const needs = nodes.map(({ size }, index): Need => {
    const [height, width] = imageShape.map((length) => length / (readiness[index] as Readiness).scale);
    const shape = { height: height as number, width: width as number, features: size };
    return { ...shape, isNeeded: new Uint8Array(shape.height * shape.width * size) };
  });
  const of = (node: number) => needs[node] as Need;
  for (let feature = 0; feature < of(output).features; feature++) {
    if (isRead(feature)) need(of(output), row, column, feature);
  }
  for (const [index, node] of [...nodes.entries()].reverse()) {
    if (node.op === 'image' || node.op === 'condition') continue;
    if (node.op === 'conv') needOfConv(node.window, of(index), of(node.input));
    else if (node.op === 'shift') needOfShift(node.rows, node.columns, of(index), of(node.input));
    else if (node.op === 'lstm') needOfLSTM(node, of(index), of(node.input));
    else if (node.op === 'attend') needOfAttention(node.heads, of(index), node.inputs.map(of));
    else {
      const sources = sourcesOf(nodes, node);
      eachNeeded(of(index), (y, x, feature) => {
        for (const [operand, source] of sources[feature] as Source[]) need(of(operand), y, x, source);
      });
    }
  }
  return of(0).isNeeded;
}

/** Marks a feature, where there is one: zeros around the image are made of nothing. */
function need(
  { height, width, features, isNeeded }: Need,
  row: number,
  column: number,
  feature: number,
): void {
  if (row < 0 || row >= height || column < 0 || column >= width) return;
  isNeeded[(row * width + column) * features + feature] = 1;
}

/** Does something for each feature that is needed. */
function eachNeeded(
  { width, features, isNeeded }: Need,
  act: (row: number, column: number, feature: number) => void,
): void {
  for (let index = isNeeded.indexOf(1); index >= 0; index = isNeeded.indexOf(1, index + 1)) {
    const pixel = Math.floor(index / features);
    act(Math.floor(pixel / width), pixel % width, index % features);
  }
}

/** Marks the features that shifted ones are. */
function needOfShift(rows: number, columns: number, outputs: Need, inputs: Need): void {
  eachNeeded(outputs, (row, column, feature) => need(inputs, row - rows, column - columns, feature));
}

/**
 * Marks what attention is made of: of each head its query, and the keys and values of all earlier places. Where there is
 * but one earlier place, it is taken whatever query and key are; the first place is made of nothing.
 */
function needOfAttention(heads: number, outputs: Need, inputs: readonly Need[]): void {
  const [queries, keys, values] = inputs as [Need, Need, Need];
  const { width, features } = outputs;
  const size = features / heads;
  const lastOfHead = new Array<number>(heads).fill(0);
  const lastOf = new Array<number>(features).fill(0);
  eachNeeded(outputs, (row, column, feature) => {
    const place = row * width + column; // as many are earlier
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
 * Marks what the states of an LSTM are made of: their gates, and all states before them that their kernel sees, which need as
 * much. What is forgotten of a cell counts only where there was one.
 */
function needOfLSTM(
  { path, kernelSize, groups }: Extract<Node, { op: 'lstm' }>,
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

/** Marks the inputs that a convolution sees for the outputs which are needed. */
function needOfConv(window: Window, outputs: Need, inputs: Need): void {
  const { width, features, isNeeded } = outputs;
  const { stride, transposed } = window;
  // Between the places of outputs, and of inputs, on the finer of both maps.
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

/** A tap of a kernel, and the features that are seen there. */
interface SeenTap {
  readonly offset: readonly [down: number, right: number];
  readonly features: readonly number[];
}

/**
 * For the outputs of a pixel that are needed [out], of each tap of the kernel the inputs that one of them
 * sees; the same needs come at many pixels.
 */
function tapsByNeed(
  window: Window,
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
