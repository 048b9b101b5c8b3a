import type { ImageShape, Place } from '../core/images';
import { imageProgram } from './maps';
import type { Read } from './operation';
import { type ImageNode, operandsOf, type PortableModel } from './program';
import { checkImageSize, factorOf, type Readiness, readinessOf, readsOf } from './readiness';

/**
 * What is needed of a node: a set of features at each place, [height,width]. Few different sets occur, so each has a
 * number, and what is done with it is done once.
 */
class Need {
  /** 1 for each feature in a set; set 0 is empty. */
  private readonly sets: Uint8Array[] = [];
  private readonly numbers = new Map<string, number>();
  /** By both numbers. */
  private readonly unions = new Map<number, number>();
  private readonly places: Uint32Array;

  constructor(
    readonly height: number,
    readonly width: number,
    readonly features: number,
  ) {
    this.places = new Uint32Array(height * width);
    this.setOf(() => false);
  }

  /** The number of a set. */
  setOf(isIn: (feature: number) => boolean): number {
    const set = Uint8Array.from({ length: this.features }, (_, feature) => Number(isIn(feature)));
    const key = set.join('');
    const known = this.numbers.get(key) ?? this.sets.push(set) - 1;
    this.numbers.set(key, known);
    return known;
  }

  has(set: number, feature: number): boolean {
    return this.sets[set]?.[feature] === 1;
  }

  union(a: number, b: number): number {
    if (a === b || b === 0) return a;
    if (a === 0) return b;
    const key = a * 2 ** 26 + b;
    const known =
      this.unions.get(key) ?? this.setOf((feature) => this.has(a, feature) || this.has(b, feature));
    this.unions.set(key, known);
    return known;
  }

  /** The set of a place. */
  at(row: number, column: number): number {
    return this.places[row * this.width + column] as number;
  }

  /** Adds a set of features, if the place lies in the image: the zeros around it depend on nothing. */
  add(row: number, column: number, set: number): void {
    if (row < 0 || row >= this.height || column < 0 || column >= this.width) return;
    this.places[row * this.width + column] = this.union(this.at(row, column), set);
  }
}

/**
 * The values that the selected outputs of a pixel can depend on, judged from the graph and its masks, whatever the
 * weights: [H*W*C], 1 for each such value.
 *
 * Goes through the program from the outputs back to the image. A feature that is needed at a pixel needs what it is
 * computed from there.
 *
 * @throws TypeError if the size of the image is not a multiple of the program's coarsest resolution
 */
export function reach(
  model: Pick<PortableModel, 'nodes' | 'output' | 'conditions'>,
  imageShape: ImageShape,
  [row, column]: Readonly<Place>,
  isRead: (output: number) => boolean,
): Uint8Array {
  const { nodes, conditions } = imageProgram({ ...model, imageShape }); // maps computed before the image depend on no pixel
  const readiness = readinessOf(nodes, conditions);
  checkImageSize('imageShape', imageShape, readiness);
  const needs = nodes.map(({ size }, index): Need => {
    const [height, width] = imageShape.map((length) => length / (readiness[index] as Readiness).scale);
    return new Need(height as number, width as number, size);
  });
  const output = needs[model.output] as Need;
  output.add(row, column, output.setOf(isRead));
  for (const [index, node] of [...nodes.entries()].reverse())
    addReads(
      node,
      needs[index] as Need,
      operandsOf(node).map((operand) => needs[operand] as Need),
    );
  const [height, width, channels] = imageShape;
  const image = needs[0] as Need;
  return Uint8Array.from({ length: height * width * channels }, (_, value) => {
    const pixel = Math.floor(value / channels);
    return Number(image.has(image.at(Math.floor(pixel / width), pixel % width), value % channels));
  });
}

/** Adds what the needed features of a node are computed from. */
function addReads(node: ImageNode, outputs: Need, operands: readonly Need[]): void {
  const factor = factorOf(node);
  // The distances between places of outputs, and of inputs, on the finer of both maps.
  const [ofOutputs, ofInputs] = [Math.max(1, factor), Math.max(1, 1 / factor)];
  const reads = readsOf(
    node,
    operands.map(({ features }) => features),
  );
  const seenBy = reads.map((read) => {
    const need = read.operand === 'own' ? outputs : (operands[read.operand] as Need);
    const seenFrom: number[] = []; // by the set that is needed
    const setOf = (set: number) => {
      const features = new Set(featuresRead(read, (feature) => outputs.has(set, feature)));
      return need.setOf((feature) => features.has(feature));
    };
    return { ...read, need, seenFor: (set: number) => (seenFrom[set] ??= setOf(set)), earlier: 0 };
  });
  const isFromRight = reads.some(
    ({ operand, at }) => operand === 'own' && at !== 'earlier' && (at?.[1] ?? 0) > 0,
  );
  for (let row = outputs.height - 1; row >= 0; row--) {
    for (let i = 0; i < outputs.width; i++) {
      const column = isFromRight ? i : outputs.width - 1 - i; // from the last place computed to the first
      for (const read of seenBy) {
        const { need, at = [0, 0], counts } = read;
        if (at === 'earlier') need.add(row, column, read.earlier); // of all later places so far
        const set = outputs.at(row, column);
        if (set === 0 || counts?.(row, column, outputs.width) === false) continue;
        const seen = read.seenFor(set);
        if (at === 'earlier') read.earlier = need.union(read.earlier, seen);
        else {
          const [y, x] = [(row * ofOutputs + at[0]) / ofInputs, (column * ofOutputs + at[1]) / ofInputs];
          if (Number.isInteger(y) && Number.isInteger(x)) need.add(y, x, seen); // else between places
        }
      }
    }
  }
}

/** The features of the operand that are read for those needed. */
function featuresRead({ features, of, isOneByOne }: Read, isNeeded: (feature: number) => boolean): number[] {
  const needed: number[] = [];
  for (let feature = features[0]; feature < features[1]; feature++) {
    if (!isNeeded(feature)) continue;
    if (!isOneByOne) return Array.from({ length: of[1] - of[0] }, (_, i) => of[0] + i);
    needed.push(of[0] + feature - features[0]);
  }
  return needed;
}
