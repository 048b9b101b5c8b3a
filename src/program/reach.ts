import type { ImageShape, Place } from '../core/images';
import { isSeen, type KernelWindow, offsetOfTap, sightOf } from '../core/window';
import { imageProgram } from './maps';
import { type PortableModel, type ProgramNode, type Source, sourcesOf } from './program';
import { checkImageSize, type Readiness, readinessOf } from './readiness';

/** Sets of a node's features. Few different ones occur, so each has a number, and what is done with it is done once. */
class FeatureSets {
  /** 1 for each feature in a set; set 0 is empty. */
  private readonly sets: Uint8Array[] = [];
  private readonly numbers = new Map<string, number>();
  /** By both numbers. */
  private readonly unions = new Map<number, number>();

  constructor(readonly features: number) {
    this.numberOf(() => false);
  }

  numberOf(isIn: (feature: number) => boolean): number {
    const set = Uint8Array.from({ length: this.features }, (_, feature) => Number(isIn(feature)));
    const key = set.join('');
    const known = this.numbers.get(key) ?? this.sets.push(set) - 1;
    this.numbers.set(key, known);
    return known;
  }

  has(set: number, feature: number): boolean {
    return this.sets[set]?.[feature] === 1;
  }

  featuresOf(set: number): number[] {
    return Array.from({ length: this.features }, (_, feature) => feature).filter((f) => this.has(set, f));
  }

  union(a: number, b: number): number {
    if (a === b || b === 0) return a;
    if (a === 0) return b;
    const key = a * 2 ** 26 + b;
    const known =
      this.unions.get(key) ?? this.numberOf((feature) => this.has(a, feature) || this.has(b, feature));
    this.unions.set(key, known);
    return known;
  }
}

/** What is needed of a node: a set of features at each place, [height,width]. */
class Need {
  private readonly sets: Uint32Array;

  constructor(
    readonly height: number,
    readonly width: number,
    readonly features: FeatureSets,
  ) {
    this.sets = new Uint32Array(height * width);
  }

  get places(): number {
    return this.sets.length;
  }

  /** Of a place, by its index. */
  at(place: number): number {
    return this.sets[place] as number;
  }

  /** Adds a set of features, if the place lies in the image: the zeros around it depend on nothing. */
  add(row: number, column: number, set: number): void {
    if (row < 0 || row >= this.height || column < 0 || column >= this.width) return;
    const place = row * this.width + column;
    this.sets[place] = this.features.union(this.sets[place] as number, set);
  }

  /** Calls a function for each place where something is needed. */
  each(act: (row: number, column: number, set: number) => void): void {
    for (let place = 0; place < this.places; place++) {
      const set = this.at(place);
      if (set > 0) act(Math.floor(place / this.width), place % this.width, set);
    }
  }
}

/** A function of sets that is computed once for each. */
function once<T>(of: (set: number) => T): (set: number) => T {
  const known = new Map<number, T>();
  return (set) => {
    let value = known.get(set);
    if (value === undefined) {
      value = of(set);
      known.set(set, value);
    }
    return value;
  };
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
    return new Need(height as number, width as number, new FeatureSets(size));
  });
  const needOf = (node: number) => needs[node] as Need;
  needOf(output).add(row, column, needOf(output).features.numberOf(isRead));
  for (const [index, node] of [...nodes.entries()].reverse()) {
    if (node.op === 'image' || node.op === 'condition') continue;
    if (node.op === 'conv') needOfConv(node.window, needOf(index), needOf(node.input));
    else if (node.op === 'shift') needOfShift(node.rows, node.columns, needOf(index), needOf(node.input));
    else if (node.op === 'lstm') needOfLSTM(node, needOf(index), needOf(node.input));
    else if (node.op === 'attend') needOfAttention(node.heads, needOf(index), node.inputs.map(needOf));
    else needOfFeatures(sourcesOf(nodes, node), needOf(index), needOf);
  }
  const image = needOf(0);
  const isNeeded = new Uint8Array(image.places * image.features.features);
  image.each((y, x, set) => {
    const first = (y * image.width + x) * image.features.features;
    for (const feature of image.features.featuresOf(set)) isNeeded[first + feature] = 1;
  });
  return isNeeded;
}

/** Adds what features of each pixel are computed from. */
function needOfFeatures(
  sources: readonly (readonly Source[])[],
  outputs: Need,
  needOf: (node: number) => Need,
): void {
  const operandsOfSet = once((set) => {
    const features = new Map<number, Set<number>>(); // of each operand
    for (const feature of outputs.features.featuresOf(set)) {
      for (const [operand, source] of sources[feature] as readonly Source[]) {
        const read = features.get(operand) ?? new Set();
        features.set(operand, read.add(source));
      }
    }
    return [...features].map(([operand, read]) => {
      const need = needOf(operand);
      return { need, read: need.features.numberOf((feature) => read.has(feature)) };
    });
  });
  outputs.each((row, column, set) => {
    for (const { need, read } of operandsOfSet(set)) need.add(row, column, read);
  });
}

/** Adds the features that shifted features come from. */
function needOfShift(rows: number, columns: number, outputs: Need, inputs: Need): void {
  const same = once((set) => inputs.features.numberOf((feature) => outputs.features.has(set, feature)));
  outputs.each((row, column, set) => inputs.add(row - rows, column - columns, same(set)));
}

/**
 * Adds what attention depends on: for each head its query, and the keys and values of all earlier places. If there is
 * only one earlier place, its value is taken whatever query and key are; the first place depends on nothing.
 */
function needOfAttention(heads: number, outputs: Need, inputs: readonly Need[]): void {
  const [queries, keys, values] = inputs as [Need, Need, Need];
  const { width, features: sets } = outputs;
  const { features } = sets;
  const headOf = (feature: number) => Math.floor((feature * heads) / features);
  const ofHeads = once((set) => {
    const read = new Set(sets.featuresOf(set).map(headOf));
    return queries.features.numberOf((feature) => read.has(headOf(feature)));
  });
  const lastOfSet = new Map<number, number>();
  outputs.each((row, column, set) => {
    const place = row * width + column; // this many places are earlier
    lastOfSet.set(set, place);
    if (place >= 2) queries.add(row, column, ofHeads(set));
  });
  const lastOf = new Array<number>(features).fill(0);
  const lastOfHead = new Array<number>(heads).fill(0);
  for (const [set, last] of lastOfSet) {
    for (const feature of sets.featuresOf(set)) {
      const head = headOf(feature);
      lastOf[feature] = Math.max(lastOf[feature] as number, last);
      lastOfHead[head] = Math.max(lastOfHead[head] as number, last);
    }
  }
  addBefore(values, (feature) => lastOf[feature] as number);
  addBefore(keys, (feature) => {
    const last = lastOfHead[headOf(feature)] as number;
    return last >= 2 ? last : 0;
  });
}

/** Adds each feature at all places before an index, its own. */
function addBefore(need: Need, endOf: (feature: number) => number): void {
  const { features, width } = need;
  const ends = Array.from({ length: features.features }, (_, feature) => endOf(feature));
  let place = 0;
  for (const end of [...new Set(ends)].sort((a, b) => a - b)) {
    const set = features.numberOf((feature) => (ends[feature] as number) >= end);
    for (; place < end; place++) need.add(Math.floor(place / width), place % width, set);
  }
}

/**
 * Adds what the states of an LSTM depend on: their gates, and all earlier states that their kernel sees, which in turn
 * need the same. The forget gate counts only if there was an earlier cell.
 */
function needOfLSTM(
  { path, kernelSize, groups }: Extract<ProgramNode, { op: 'lstm' }>,
  states: Need,
  gates: Need,
): void {
  const { height, width, features: sets } = states;
  const { features } = sets;
  const group = features / groups;
  const left = kernelSize[1] >> 1;
  const above = Array.from({ length: kernelSize[1] }, (_, tap) => [-1, tap - left] as const);
  const toCell = ({ rows: [-1, 0], fromLeft: [0, -1], fromRight: [0, 1] } as const)[path];
  const seen = path === 'rows' ? above : [...above, toCell];
  const all = sets.numberOf(() => true);
  const gatesOf = (parts: readonly number[]) =>
    once((set) => {
      const read = new Set(
        sets.featuresOf(set).flatMap((f) => parts.map((part) => f + 3 * (f - (f % group)) + part * group)),
      );
      return gates.features.numberOf((feature) => read.has(feature));
    });
  const [withForget, withoutForget] = [gatesOf([0, 1, 2, 3]), gatesOf([0, 2, 3])]; // of z: o, then f, i and g
  for (let row = height - 1; row >= 0; row--) {
    for (let i = 0; i < width; i++) {
      const column = path === 'fromRight' ? i : width - 1 - i; // against the path
      const set = states.at(row * width + column);
      if (set === 0) continue;
      const isFirstCell = row + toCell[0] < 0 || column + toCell[1] < 0 || column + toCell[1] >= width;
      gates.add(row, column, isFirstCell ? withoutForget(set) : withForget(set));
      for (const [down, right] of seen) states.add(row + down, column + right, all);
    }
  }
}

/** Adds the inputs that a convolution sees for the needed outputs. */
function needOfConv(window: KernelWindow, outputs: Need, inputs: Need): void {
  const { stride, transposed } = window;
  // The distances between places of outputs, and of inputs, on the finer of both maps.
  const [ofOutputs, ofInputs] = transposed ? [1, stride] : [stride, 1];
  const tapsOf = once((set) => seenTaps(window, outputs.features, set, inputs.features));
  outputs.each((row, column, set) => {
    for (const { offset, seen } of tapsOf(set)) {
      const [y, x] = [(row * ofOutputs + offset[0]) / ofInputs, (column * ofOutputs + offset[1]) / ofInputs];
      if (Number.isInteger(y) && Number.isInteger(x)) inputs.add(y, x, seen); // else between places
    }
  });
}

/** A tap of a kernel, and the set of features seen there. */
interface SeenTap {
  readonly offset: readonly [down: number, right: number];
  readonly seen: number;
}

/** For each tap of a kernel, the inputs that any of a set of outputs sees. */
function seenTaps(window: KernelWindow, outputs: FeatureSets, set: number, inputs: FeatureSets): SeenTap[] {
  const [rows, columns] = window.kernelSize;
  const channelOf = (feature: number, features: number) =>
    Math.floor((feature * window.imageChannels) / features);
  const lastOutput = outputs.featuresOf(set).at(-1) as number;
  const last = channelOf(lastOutput, outputs.features); // it sees all that the others see
  return Array.from({ length: rows * columns }, (_, tap) => {
    const [row, column] = [Math.floor(tap / columns), tap % columns];
    const sight = sightOf(window, row, column);
    return {
      offset: offsetOfTap(window, row, column),
      seen: inputs.numberOf((input) => isSeen(sight, channelOf(input, inputs.features), last)),
    };
  }).filter(({ seen }) => seen > 0);
}
