import type { Node } from '../../program/program';
import type { FeatureCache } from './feature-cache';
import type { Machine } from './machine';

/** The operations that make each feature of features of the same pixel. */
export type FeaturewiseNode = Exclude<Node, { op: 'image' | 'conv' }>;

/** Such an operation, from operands to y: by kernels where there is one and all lie alike, else feature by feature. */
export function addFeaturewise(
  machine: Machine,
  node: FeaturewiseNode,
  operands: readonly FeatureCache[],
  y: FeatureCache,
): void {
  const { numImages } = machine;
  const [a, b] = operands as [FeatureCache, FeatureCache | undefined];
  const lieAlike = operands.every(({ layout }) => layout.isLike(y.layout));
  if (node.op === 'relu' && lieAlike) {
    machine.eachRun(y, ([from, to]) => ({ relu }) => {
      relu(y.here + from, y.imageStride, a.here + from, a.imageStride, numImages, to - from);
    });
  } else if (node.op === 'add' && b !== undefined && operands.length === 2 && lieAlike) {
    machine.eachRun(y, ([from, to]) => ({ add }) => {
      add(y.here + from, y.imageStride, a.here + from, a.imageStride, b.here + from, b.imageStride, numImages, to - from); // biome-ignore format: one call
    });
  } else {
    for (const [feature, step] of y.layout.steps.entries()) {
      const slot = y.layout.slotOf[feature] as number;
      const compute = computeOf(machine, node, operands, feature);
      machine.stepActions[step]?.push(({ heap }) => {
        for (let n = 0; n < numImages; n++) heap[y.here + n * y.imageStride + slot] = compute(heap, n);
      });
    }
  }
}

/** One feature of one image; every operation rounds to float32. */
type Compute = (heap: Float32Array, image: number) => number;

function computeOf(
  machine: Machine,
  node: FeaturewiseNode,
  operands: readonly FeatureCache[],
  feature: number,
): Compute {
  const read = (x: FeatureCache, f: number): Compute => {
    const slot = x.layout.slotOf[f] as number;
    return (heap, n) => heap[x.here + n * x.imageStride + slot] as number;
  };
  const reads = node.op === 'concat' ? [] : operands.map((x) => read(x, feature));
  const [first] = reads as [Compute];
  switch (node.op) {
    case 'relu':
      return (heap, n) => Math.max(first(heap, n), 0);
    case 'map':
      return (heap, n) => node.fn(first(heap, n));
    case 'affine': {
      const numbers = node.numbers(node.weights.map((weight) => machine.numbers(weight)[feature] as number));
      const [scale, shift] = numbers.map(Math.fround) as [number, number];
      return (heap, n) => Math.fround(first(heap, n) * scale) + shift;
    }
    case 'add':
      return (heap, n) => reads.reduce((sum, of) => Math.fround(sum + of(heap, n)), 0);
    case 'multiply':
      return (heap, n) => reads.reduce((product, of) => Math.fround(product * of(heap, n)), 1);
    case 'concat': {
      let rest = feature;
      for (const x of operands) {
        if (rest < x.layout.steps.length) return read(x, rest);
        rest -= x.layout.steps.length;
      }
      throw new RangeError(`No feature ${feature} in the concatenated ones`);
    }
  }
}
