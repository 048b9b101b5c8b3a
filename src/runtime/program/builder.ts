import { isSameWindow } from '../core/window';
import { checkedSize, type MakeWeight, Nodes, type Norm } from './nodes';
import type { OperandShape, Operation, WeightReference } from './operation';
import { operationOf, opsOf } from './operations';
import type { ProgramNode } from './program';
import { factorOf } from './readiness';
import { type LayerWeight, ownName } from './weights';

/** The features [F] of every pixel: one value of a program. */
export interface Features {
  /** F. */
  readonly size: number;
}

/** Features as the builder, and code that builds models, sees them. */
interface NodeFeatures extends OperandShape {
  /** The node that computes them. */
  readonly index: number;
  /** Their scale (see `Readiness`) if they passed convolutions with strides, else null. */
  readonly scale: number | null;
}

export const nodeOf = (features: Features): number => (features as NodeFeatures).index;

/** A weight of the program, computed from the numbers of a layer's weights once they are read. */
export interface WeightRecipe {
  readonly shape: readonly number[];
  readonly from: readonly LayerWeight[];
  readonly make: MakeWeight;
}

const isSameNorm = (a?: Norm, b?: Norm) =>
  a === b || (a !== undefined && a.gain === b?.gain && isSameWindow(a.window, b.window));

/** Builds a program: each operation adds a node. Weights are referred to, and read when the program becomes a model. */
export class ProgramBuilder extends Nodes<Features> {
  readonly nodes: ProgramNode[] = [];
  /** The layer that each node belongs to. */
  readonly owners: string[] = [];
  readonly weights = new Map<string, WeightRecipe>();
  readonly ops = opsOf<Features>(this);

  private readonly features: NodeFeatures[] = [];
  /** The uses of each layer's weight that differ in numbers or shape. */
  private readonly uses = new Map<LayerWeight, (WeightReference & { readonly norm: Norm | undefined })[]>();
  private layer = '';

  /** Sets the layer that the next operations belong to. */
  enterLayer(name: string): void {
    this.layer = name;
  }

  /** The image, normalized: one feature a channel. */
  image(imageChannels: number): Features {
    return this.push({ op: 'image', size: imageChannels }, []);
  }

  /** A condition: one vector for the whole image, or one for each pixel. */
  condition(index: number, size: number, isMap: boolean): Features {
    return this.push({ op: 'condition', size, index }, [], !isMap);
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
    const known = operands as readonly NodeFeatures[];
    const computed = checkedSize(operation, known, fields, what, size);
    const inputs = known.map(({ index }) => index);
    const node = {
      op: operation.name,
      size: computed,
      ...(operation.operands === 1 ? { input: inputs[0] } : { inputs }),
      ...stored(operation, fields),
    };
    return this.push(node as ProgramNode, known);
  }

  private push(
    node: ProgramNode,
    operands: readonly NodeFeatures[],
    isConstant = !operationOf(node).makesMaps && operands.every((operand) => operand.isConstant),
  ): Features {
    const ofOperands = operands.find(({ scale }) => scale !== null)?.scale ?? null;
    const factor = factorOf(node);
    const scale = factor === 1 ? ofOperands : (ofOperands ?? 1) * factor;
    const features = { size: node.size, isConstant, index: this.nodes.length, scale };
    this.features.push(features);
    this.owners.push(this.layer);
    this.nodes.push(node);
    return features;
  }

  strided(x: Features): { readonly image: Features; readonly scale: number } | null {
    const { scale } = x as NodeFeatures;
    return scale === null ? null : { image: this.features[0] as Features, scale };
  }

  protected named(weight: LayerWeight, shape: readonly number[], make: MakeWeight, norm?: Norm) {
    const uses = this.uses.get(weight) ?? [];
    const known = uses.find((use) => isSameNorm(use.norm, norm) && String(use.shape) === String(shape));
    if (known !== undefined) return known;
    const from = norm === undefined ? [weight] : [weight, norm.gain];
    const use = { ...this.derived(ownName(weight).join('.'), shape, from, make), norm };
    this.uses.set(weight, [...uses, use]);
    return use;
  }

  derived(name: string, shape: readonly number[], from: readonly LayerWeight[], make: MakeWeight) {
    const full = this.layer === '' ? name : `${this.layer}.${name}`;
    let unused = full;
    for (let n = 1; this.weights.has(unused); n++) unused = `${full}_${n}`;
    this.weights.set(unused, { shape, from, make });
    return { name: unused, shape };
  }
}

/** The fields of a node, with weights replaced by their names. */
const stored = ({ fields: declared }: Operation, fields: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.keys(declared).map((name) => {
      const value = fields[name];
      return [name, isReference(value) ? value.name : value];
    }),
  );

const isReference = (value: unknown): value is WeightReference =>
  typeof value === 'object' && value !== null && 'name' in value && 'shape' in value;
