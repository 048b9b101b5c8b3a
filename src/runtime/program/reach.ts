import { type ImageShape, type Place, valuesOf } from '../core/images';
import { imageProgram } from './maps';
import type { Read } from './operation';
import { type ImageNode, operandsOf, type PortableModel } from './program';
import { checkImageSize, factorOf, readinessOf, readsOf } from './readiness';

/** The features of a node that are needed: a set at each place of some rows. Bit f of a set stands for feature f. */
class Need {
  private readonly sets: bigint[];

  /** From row `top` to before row `bottom`. */
  constructor(
    readonly top: number,
    readonly bottom: number,
    readonly width: number,
  ) {
    this.sets = new Array<bigint>((bottom - top) * width).fill(0n);
  }

  /** The set of a place. */
  at(row: number, column: number): bigint {
    return this.sets[(row - this.top) * this.width + column] as bigint;
  }

  /** Adds a set of features, if the place lies in these rows. The zeros around the image depend on nothing. */
  add(row: number, column: number, set: bigint): void {
    if (row < this.top || row >= this.bottom || column < 0 || column >= this.width) return;
    this.sets[(row - this.top) * this.width + column] = this.at(row, column) | set;
  }
}

/** The set of the first `count` features. */
const firstFeatures = (count: number) => (1n << BigInt(count)) - 1n;

/**
 * Tells which values the selected outputs of a pixel can depend on, whatever the weights, judged from the graph and its
 * masks: [H*W*C], 1 for each such value. Those in rows above `top` are left out.
 *
 * Walks the program from the outputs back to the image, and marks what each needed feature is computed from. No feature
 * is computed from rows below its own.
 *
 * @throws TypeError if the size of the image is not a multiple of the program's coarsest resolution
 */
export function reach(
  model: Pick<PortableModel, 'nodes' | 'output' | 'conditions'>,
  imageShape: ImageShape,
): (place: Readonly<Place>, isRead: (output: number) => boolean, top?: number) => Uint8Array {
  const { nodes, conditions } = imageProgram({ ...model, imageShape }); // maps computed before the image depend on no pixel
  const readiness = readinessOf(nodes, conditions);
  checkImageSize('imageShape', imageShape, readiness);
  const reads = nodes.map((node) => readsOf(node, operandsOf(node).map((operand) => nodes[operand]?.size ?? 0))); // biome-ignore format: one line
  const [, width, channels] = imageShape;
  return ([row, column], isRead, top = 0) => {
    const needs = readiness.map(({ scale }) => {
      return new Need(Math.floor(top / scale), Math.floor(row / scale) + 1, width / scale);
    });
    const outputs = Array.from({ length: nodes[model.output]?.size ?? 0 }, (_, output) =>
      isRead(output) ? '1' : '0',
    );
    needs[model.output]?.add(row, column, BigInt(`0b${outputs.reverse().join('')}`));
    for (const [index, node] of [...nodes.entries()].reverse()) {
      const operands = operandsOf(node).map((operand) => needs[operand] as Need);
      addReads(node, reads[index] as Read[], needs[index] as Need, operands);
    }
    const seen = new Uint8Array(valuesOf(imageShape));
    for (let value = top * width * channels; value < (row + 1) * width * channels; value++) {
      const pixel = Math.floor(value / channels);
      const set = (needs[0] as Need).at(Math.floor(pixel / width), pixel % width);
      seen[value] = Number((set >> BigInt(value % channels)) & 1n);
    }
    return seen;
  };
}

/** Adds what the needed features of a node are computed from. */
function addReads(node: ImageNode, reads: readonly Read[], outputs: Need, operands: readonly Need[]): void {
  const factor = factorOf(node);
  // The distances between places of outputs, and between places of inputs, on the finer of the two maps.
  const [ofOutputs, ofInputs] = [Math.max(1, factor), Math.max(1, 1 / factor)];
  const earlier = reads.map(() => 0n); // needed at all places before those visited so far
  const isFromRight = reads.some(
    ({ operand, at }) => operand === 'own' && typeof at === 'object' && at[1] > 0,
  );
  for (let row = outputs.bottom - 1; row >= outputs.top; row--) {
    for (let i = 0; i < outputs.width; i++) {
      const column = isFromRight ? i : outputs.width - 1 - i; // from the last place computed to the first
      for (const [k, read] of reads.entries()) {
        const { operand, at = [0, 0], counts } = read;
        const need = operand === 'own' ? outputs : (operands[operand] as Need);
        if (at === 'earlier') need.add(row, column, earlier[k] as bigint);
        const set = outputs.at(row, column);
        if (set === 0n || counts?.(row, column, outputs.width) === false) continue;
        const seen = featuresRead(read, set);
        if (at === 'earlier') earlier[k] = (earlier[k] as bigint) | seen;
        else if (at === 'previous') {
          const [above, left] = column > 0 ? [0, 1] : [1, 1 - outputs.width];
          need.add(row - above, column - left, seen);
        } else {
          const [y, x] = [(row * ofOutputs + at[0]) / ofInputs, (column * ofOutputs + at[1]) / ofInputs];
          if (Number.isInteger(y) && Number.isInteger(x)) need.add(y, x, seen); // otherwise between places
        }
      }
    }
  }
}

/** The features of the operand that are read for those needed. */
function featuresRead({ features: [from, to], of: [first, end], isOneByOne }: Read, needed: bigint): bigint {
  const own = (needed >> BigInt(from)) & firstFeatures(to - from);
  if (isOneByOne) return own << BigInt(first);
  return own === 0n ? 0n : firstFeatures(end - first) << BigInt(first);
}
