import { throwTypeError } from '../core/check';
import type { ConditionShape } from '../core/conditions';
import type { SymmetryShape } from '../core/symmetries';
import type { DistributionShape } from '../distributions/kinds';
import { unpacked } from '../kernels/packed';
import type { NodeOf, OperationName } from './operations';

/**
 * One operation of a program, on the features of one pixel or, for convolutions, a window of
 * pixels. The table of operations defines its fields: `size` is the number of features that it
 * computes, operands are indices of earlier nodes, and weights are referred to by name.
 */
export type ProgramNode = NodeOf<OperationName>;

/** A node that can be evaluated row by row with the image, unlike those that read whole maps. */
export type ImageNode = Exclude<ProgramNode, { op: 'upsample' | 'position' }>;

export function operandsOf(node: ProgramNode): readonly number[] {
  if ('inputs' in node) return node.inputs;
  return 'input' in node ? [node.input] : [];
}

export function withOperands<Node extends ProgramNode>(node: Node, of: (operand: number) => number): Node {
  if ('inputs' in node) return { ...node, inputs: node.inputs.map(of) };
  return 'input' in node ? { ...node, input: of(node.input) } : node;
}

/** The numbers of a weight, row-major. */
export interface Weight {
  /** A kernel's is [rows, columns, in, out]. */
  readonly shape: readonly number[];
  /** The numbers, as many as the shape requires. */
  readonly data: Float32Array;
}

/** A weight of a large model, in half of the memory of float32, as the engine uses it. */
export class PackedWeight implements Weight {
  constructor(
    readonly shape: readonly number[],
    /** See {@link pack}. */
    readonly packed: Uint16Array,
    /** By which the numbers of each output feature are multiplied. */
    readonly factors: Float32Array,
  ) {}

  get data(): Float32Array {
    return numbersOf(this);
  }
}

/** A weight that is packed, also a clone, which has no `data`; null for others. */
export const packedOf = (weight: Weight): PackedWeight | null =>
  'packed' in weight ? (weight as PackedWeight) : null;

/** The numbers of a weight, in float32. Unpacks a packed one on each call, into memory of its size if that is given. */
export function numbersOf(weight: Weight, memory?: Float32Array): Float32Array {
  const { packed, factors } = packedOf(weight) ?? {};
  return packed && factors ? unpacked(packed, factors, memory) : weight.data;
}

/**
 * A model as plain data: its program and its named weights, without functions or tensors. It can be
 * passed to `structuredClone`, `postMessage` and `writePortable`. Do not change its weights in
 * place once it has been used, since the compiled model is kept and reused.
 */
export interface PortableModel {
  /** The program: each node depends on earlier ones. */
  readonly nodes: readonly ProgramNode[];
  /** The node of the outputs: C*L logits, channel by channel, or the parameters of another distribution. */
  readonly output: number;
  /** What the outputs mean. @default a softmax over levels */
  readonly distribution?: DistributionShape;
  /** [H, W, C]; H and W are null if the model takes images of any size. */
  readonly imageShape: readonly [number | null, number | null, number];
  /** L, the levels (intensities or categories) that a channel can have. */
  readonly levels: number;
  /** The conditions, in the order of the model's inputs; empty if there are none. */
  readonly conditions: readonly ConditionShape[];
  /** The weights, by the names that nodes refer to. */
  readonly weights: ReadonlyMap<string, Weight>;
  /** How it is symmetric. @default not at all */
  readonly symmetry?: SymmetryShape;
  /** The colour of each level, [L, 1 or 3]: a grey, or red, green and blue. It never affects a result. */
  readonly palette?: Uint8Array;
  /** Information about the model, such as its name, source, licence and training data. */
  readonly info?: Readonly<Record<string, string>>;
}

/** Whether a model of any kind is a portable one, whose images and results are arrays. */
export const isPortable = (model: object | undefined): model is PortableModel =>
  (model as Partial<PortableModel> | undefined)?.nodes !== undefined;

/** Checks that a model has the form of a portable model; its contents are checked elsewhere. */
export function checkModel(what: string, model: unknown): void {
  const { nodes, imageShape, conditions, weights } = (model ?? {}) as Partial<PortableModel>;
  if (![nodes, imageShape, conditions].every(Array.isArray) || typeof weights?.get !== 'function')
    throwTypeError(what, 'a portable model, from toPortable or readPortable', model);
}
