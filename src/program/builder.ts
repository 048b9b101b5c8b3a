import { isSameWindow } from '../core/window';
import { checkedSize, LayerNodes, type MakeWeight, type Norm } from './layer-nodes';
import type { Operation, WeightReference } from './operation';
import { opsOf } from './operations';
import { operandsOf, type ProgramNode } from './program';
import { factorOf } from './readiness';
import { type LayerWeight, ownName } from './weights';

/** Features [F] of every pixel, one value of a program. */
export interface Features {
  /** F. */
  readonly size: number;
}

/** What features are internally, and to code that builds models from them. */
interface IndexedFeatures extends Features {
  /** The node that computes them. */
  readonly index: number;
}

/** The node that computes the features. */
export const nodeOf = (features: Features): number => (features as IndexedFeatures).index;

const featuresOf = (nodes: readonly ProgramNode[], index: number): IndexedFeatures => ({
  size: (nodes[index] as ProgramNode).size,
  index,
});

/** A weight of the program, computed from the numbers of a layer's weights once they are read. */
export interface WeightRecipe {
  readonly shape: readonly number[];
  readonly from: readonly LayerWeight[];
  readonly make: MakeWeight;
}

/** A weight of the program that is named after a layer's. */
interface WeightUse extends WeightReference {
  readonly norm: Norm | undefined;
}

const isSameNorm = (a?: Norm, b?: Norm) =>
  a === b || (a !== undefined && a.gain === b?.gain && isSameWindow(a.window, b.window));

/**
 * Builds a program: each operation adds a node. Weights are recorded as the layers hold them, and read when the program
 * becomes a model.
 */
export class ProgramBuilder extends LayerNodes<Features> {
  readonly nodes: ProgramNode[] = [];
  /** The layer that each node belongs to. */
  readonly owners: string[] = [];
  /** By name. */
  readonly weights = new Map<string, WeightRecipe>();
  /** What layers are expressed with. */
  readonly ops = opsOf<Features>(this);

  /** By the layer's weight that names it: each use that makes other numbers of it, or another shape. */
  private readonly uses = new Map<LayerWeight, WeightUse[]>();
  /** Whether each node is the same at every pixel of an image: computed from vector conditions only. */
  private readonly areConstant: boolean[] = [];
  /** The scale of each node (see `Readiness`) that passed convolutions with strides; null for the others. */
  private readonly scales: (number | null)[] = [];
  private layer = '';

  /** Sets the layer that the next operations belong to. */
  enterLayer(name: string): void {
    this.layer = name;
  }

  /** The image, normalized: one feature a channel. */
  image(imageChannels: number): Features {
    return this.push({ op: 'image', size: imageChannels }, false);
  }

  /** A condition: one vector for the image, or one for each of its pixels. */
  condition(index: number, size: number, isMap: boolean): Features {
    return this.push({ op: 'condition', size, index }, !isMap);
  }

  sizeOf({ size }: Features): number {
    return size;
  }

  add(
    operation: Operation,
    operands: readonly Features[],
    fields: Readonly<Record<string, unknown>>,
    { size, what }: { readonly size?: number; readonly what?: string } = {},
  ): Features {
    const known = operands.map((x) => ({ size: x.size, isConstant: this.areConstant[nodeOf(x)] as boolean }));
    const computed = checkedSize(operation, known, fields, what, size);
    const [input, ...others] = operands.map(nodeOf);
    const isOne = operation.operands === 1;
    return this.push({
      op: operation.name,
      size: computed,
      ...(isOne ? { input } : { inputs: [input, ...others] }),
      ...stored(operation, fields),
    } as ProgramNode);
  }

  private push(
    node: ProgramNode,
    isConstant = operandsOf(node).every((operand) => this.areConstant[operand]),
  ): Features {
    const scale = operandsOf(node).map((operand) => this.scales[operand] ?? null).find((one) => one !== null); // biome-ignore format: one chain
    const factor = factorOf(node);
    this.areConstant.push(isConstant);
    this.scales.push(factor === 1 ? (scale ?? null) : (scale ?? 1) * factor);
    this.owners.push(this.layer);
    this.nodes.push(node);
    return featuresOf(this.nodes, this.nodes.length - 1);
  }

  strided(x: Features): { readonly image: Features; readonly scale: number } | null {
    const scale = this.scales[nodeOf(x)] ?? null;
    return scale === null ? null : { image: featuresOf(this.nodes, 0), scale };
  }

  protected named(
    weight: LayerWeight,
    shape: readonly number[],
    make: MakeWeight,
    norm?: Norm,
  ): WeightReference {
    const uses = this.uses.get(weight) ?? [];
    const known = uses.find((use) => isSameNorm(use.norm, norm) && String(use.shape) === String(shape));
    if (known !== undefined) return known;
    const name = ownName(weight).join('.');
    const use = {
      ...this.derived(name, shape, norm === undefined ? [weight] : [weight, norm.gain], make),
      norm,
    };
    this.uses.set(weight, [...uses, use]);
    return use;
  }

  derived(
    name: string,
    shape: readonly number[],
    from: readonly LayerWeight[],
    make: MakeWeight,
  ): WeightReference {
    const full = this.layer === '' ? name : `${this.layer}.${name}`;
    let unused = full;
    for (let n = 1; this.weights.has(unused); n++) unused = `${full}_${n}`;
    this.weights.set(unused, { shape, from, make });
    return { name: unused, shape };
  }
}

/** The fields of a node, with weights by their names. */
const stored = ({ fields: declared }: Operation, fields: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.keys(declared).map((name) => {
      const value = fields[name];
      return [name, isReference(value) ? value.name : value];
    }),
  );

const isReference = (value: unknown): value is WeightReference =>
  typeof value === 'object' && value !== null && 'name' in value && 'shape' in value;
