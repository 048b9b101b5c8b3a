import type { ImageShape, Place } from '../core/images';
import { imageProgram } from './maps';
import { Need, oncePerSet } from './need';
import type { Operation, Read } from './operation';
import { operations } from './operations';
import { operandsOf, type PortableModel, type ProgramNode } from './program';
import { checkImageSize, factorOf, type Readiness, readinessOf, readsOf } from './readiness';

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
  const { output } = model;
  const { nodes, conditions } = imageProgram({ ...model, imageShape }); // maps computed before the image depend on no pixel
  const readiness = readinessOf(nodes, conditions);
  checkImageSize('imageShape', imageShape, readiness);
  const needs = nodes.map(({ size }, index): Need => {
    const [height, width] = imageShape.map((length) => length / (readiness[index] as Readiness).scale);
    return new Need(height as number, width as number, size);
  });
  const needOf = (node: number) => needs[node] as Need;
  needOf(output).add(row, column, needOf(output).features.numberOf(isRead));
  for (const [index, node] of [...nodes.entries()].reverse()) {
    const operation: Operation = operations[node.op];
    const add = operation.reach ?? addReads;
    add(node, needOf(index), operandsOf(node).map(needOf));
  }
  const image = needOf(0);
  const isNeeded = new Uint8Array(image.height * image.width * image.features.features);
  image.each((y, x, set) => {
    const first = (y * image.width + x) * image.features.features;
    for (const feature of image.features.featuresOf(set)) isNeeded[first + feature] = 1;
  });
  return isNeeded;
}

/** What is read of an operand at one place, relative to the place computed. */
interface Seen {
  readonly operand: Need;
  readonly at: readonly [down: number, right: number];
  readonly features: Set<number>;
}

/** Adds what the needed features of a node are computed from. */
function addReads(node: ProgramNode, outputs: Need, operands: readonly Need[]): void {
  const reads = readsOf(
    node,
    operands.map(({ features }) => features.features),
  );
  const factor = factorOf(node);
  // The distances between places of outputs, and of inputs, on the finer of both maps.
  const [ofOutputs, ofInputs] = [Math.max(1, factor), Math.max(1, 1 / factor)];
  const seenBy = oncePerSet((set) => {
    const seen = new Map<string, Seen>(); // by operand and place
    for (const read of reads) {
      const { operand, at = [0, 0] } = read;
      const found = featuresRead(read, (feature) => outputs.features.has(set, feature));
      if (found.length === 0) continue;
      const key = `${operand}/${at}`;
      const one = seen.get(key) ?? {
        operand: operands[operand] as Need,
        at,
        features: new Set(),
      };
      for (const feature of found) one.features.add(feature);
      seen.set(key, one);
    }
    return [...seen.values()].map(({ operand, at, features }) => {
      return { operand, at, set: operand.features.numberOf((feature) => features.has(feature)) };
    });
  });
  outputs.each((row, column, needed) => {
    for (const { operand, at, set } of seenBy(needed)) {
      const [y, x] = [(row * ofOutputs + at[0]) / ofInputs, (column * ofOutputs + at[1]) / ofInputs];
      if (Number.isInteger(y) && Number.isInteger(x)) operand.add(y, x, set); // else between places
    }
  });
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
