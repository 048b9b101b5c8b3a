import { checkNumber, checkOneOf, throwTypeError } from '../core/check';
import type { ConditionShape } from '../core/conditions';
import type { Window } from '../core/window';
import type { DistributionShape } from '../distributions/pixel-distribution';

/**
 * Functions of one number that a program may apply to its features, with the parameter that some of them take:
 * `elu` and `leakyRelu` their alpha, `thresholdedRelu` its theta, `clippedRelu` its greatest value, `scale` its
 * factor, `shift` what it adds.
 */
export const pointwiseNames = [
  'relu',
  'sigmoid',
  'tanh',
  'elu',
  'selu',
  'leakyRelu',
  'thresholdedRelu',
  'clippedRelu',
  'hardSigmoid',
  'softplus',
  'softsign',
  'swish',
  'gelu',
  'geluNew',
  'mish',
  'scale',
  'shift',
] as const;
/** One of them. */
export type PointwiseName = (typeof pointwiseNames)[number];

/** Those that have no default. */
export const needParameter: ReadonlySet<PointwiseName> = /* @__PURE__ */ new Set([
  'leakyRelu',
  'thresholdedRelu',
  'clippedRelu',
  'scale',
  'shift',
]);

/**
 * The parameter of a function; 0 for those that take none.
 *
 * @throws TypeError where there is no such function, or it takes a parameter and has none (alpha of `elu` is 1)
 */
export function parameterOf(fn: PointwiseName, parameter: number | undefined): number {
  checkOneOf('pointwise', fn, pointwiseNames);
  const given = parameter ?? (fn === 'elu' ? 1 : needParameter.has(fn) ? undefined : 0);
  return checkNumber(`pointwise: parameter of ${fn}`, given, 'that is finite', () => true);
}

/** Operations on features of the same size, number by number. */
export const combinationNames = ['add', 'multiply', 'maximum', 'minimum'] as const;
/** One of them. */
export type CombinationName = (typeof combinationNames)[number];

/** Gates, of a and b: tanh(a) sigmoid(b), and a sigmoid(b). */
export const gateNames = ['gate', 'linearGate'] as const;
/** One of them. */
export type GateName = (typeof gateNames)[number];

/** Functions of all features of a group together. */
export const softmaxNames = ['softmax', 'logSoftmax'] as const;
/** One of them. */
export type SoftmaxName = (typeof softmaxNames)[number];

/** The ways that the state of an LSTM may go over the pixels of an image: see `lstm` of `Ops`. */
export const lstmPaths = ['rows', 'fromLeft', 'fromRight'] as const;
/** One of them. */
export type LSTMPath = (typeof lstmPaths)[number];

/**
 * One operation of a program, on the features of one pixel or, for convolutions, of a window of pixels.
 * `size` counts the features that it makes, operands are indices of earlier nodes, and weights are named.
 */
export type Node =
  /** The image, normalized to [0, 1]: one feature a channel. Always the first node. */
  | { readonly op: 'image'; readonly size: number }
  /** What the image is conditioned on, by its index: numbers of the image, or of each pixel. */
  | { readonly op: 'condition'; readonly size: number; readonly index: number }
  /** A causal convolution: kernel [rows,columns,in,out], whole, and bias [out]. */
  | {
      readonly op: 'conv';
      readonly size: number;
      readonly input: number;
      readonly kernel: string;
      readonly bias: string | null;
      readonly window: Window;
    }
  /** A function of each feature. */
  | {
      readonly op: 'pointwise';
      readonly size: number;
      readonly input: number;
      readonly fn: PointwiseName;
      readonly parameter: number;
    }
  | { readonly op: CombinationName; readonly size: number; readonly inputs: readonly number[] }
  /** Concatenates. */
  | { readonly op: 'concat'; readonly size: number; readonly inputs: readonly number[] }
  /** So many features from one on. */
  | { readonly op: 'slice'; readonly size: number; readonly input: number; readonly start: number }
  /** The features of the place so many rows above and columns to the left; zeros where there is none. */
  | {
      readonly op: 'shift';
      readonly size: number;
      readonly input: number;
      readonly rows: number;
      readonly columns: number;
    }
  /** Each place of a map as so many rows and columns of places, of what is made of conditions alone. */
  | {
      readonly op: 'enlarge';
      readonly size: number;
      readonly input: number;
      readonly rows: number;
      readonly columns: number;
    }
  /** Where each place is in a map: its row and its column, see `position` of `Ops`. */
  | { readonly op: 'position'; readonly size: number; readonly input: number }
  /** elu(x) of all features, then elu(-x) of all. */
  | { readonly op: 'concatElu'; readonly size: number; readonly input: number }
  /** A gate, where each of so many groups of features is a, then as many b. */
  | { readonly op: GateName; readonly size: number; readonly input: number; readonly groups: number }
  /** Attention of queries over the keys and values of strictly earlier places, of each of so many heads by itself. */
  | {
      readonly op: 'attend';
      readonly size: number;
      readonly inputs: readonly [queries: number, keys: number, values: number];
      readonly heads: number;
    }
  /** The states of an LSTM, of its gates before their activations, by a kernel [rows,columns,size,4*size]: see `Ops`. */
  | {
      readonly op: 'lstm';
      readonly size: number;
      readonly input: number;
      readonly kernel: string;
      readonly kernelSize: readonly [rows: number, columns: number];
      readonly path: LSTMPath;
      /** Groups of features; of each o, f, i and g lie side by side. */
      readonly groups: number;
    }
  /** scale x + shift, of each feature with its own numbers, each [size]. */
  | {
      readonly op: 'affine';
      readonly size: number;
      readonly input: number;
      readonly scale: string;
      readonly shift: string;
    }
  /** (x - mean) / sqrt(variance + epsilon) over each of so many groups of features, then scale and shift, each [size]. */
  | {
      readonly op: 'normalize';
      readonly size: number;
      readonly input: number;
      readonly scale: string;
      readonly shift: string;
      readonly epsilon: number;
      readonly groups: number;
    }
  /** e^x / sum e^x over the features of each of so many groups, or its logarithm. */
  | { readonly op: SoftmaxName; readonly size: number; readonly input: number; readonly groups: number }
  /** 1 for the feature whose index is the number that comes in, else 0. */
  | { readonly op: 'oneHot'; readonly size: number; readonly input: number }
  /** 1 for the level of each number, 0 for the others: see `oneHotLevels` of `Ops`. */
  | { readonly op: 'oneHotLevels'; readonly size: number; readonly input: number; readonly levels: number }
  /** The row of a table [levels,units] that belongs to the level of each number: see `embedLevels` of `Ops`. */
  | { readonly op: 'embedLevels'; readonly size: number; readonly input: number; readonly table: string }
  /** A function of the user's own, by its index: the one node that is not data, and that no file holds. */
  | { readonly op: 'closure'; readonly size: number; readonly input: number; readonly index: number };

/** The nodes that a node is made of. */
export function operandsOf(node: Node): readonly number[] {
  if (node.op === 'image' || node.op === 'condition') return [];
  return 'inputs' in node ? node.inputs : [node.input];
}

/** The same node made of others. */
export function withOperands(node: ImageNode, of: (operand: number) => number): ImageNode {
  if (node.op === 'image' || node.op === 'condition') return node;
  if (!('inputs' in node)) return { ...node, input: of(node.input) };
  return { ...node, inputs: node.inputs.map(of) } as ImageNode;
}

/** A node that can be evaluated with the image: not what is made of whole maps before it begins. */
export type ImageNode = Exclude<Node, { op: 'enlarge' | 'position' }>;

/** A node that acts on each pixel by itself. */
export type FeaturewiseNode = Exclude<
  ImageNode,
  { op: 'image' | 'condition' | 'conv' | 'shift' | 'attend' | 'lstm' }
>;

/** A feature of a node. */
export type Source = readonly [node: number, feature: number];

/**
 * For each feature of a node that acts on each pixel by itself, the features of the same pixel that it is
 * made of.
 */
export function sourcesOf(nodes: readonly ImageNode[], node: FeaturewiseNode): Source[][] {
  const ofEach = (sources: (feature: number) => Source[]) =>
    Array.from({ length: node.size }, (_, feature) => sources(feature));
  switch (node.op) {
    case 'gate':
    case 'linearGate':
      return gateInputs(node).map((halves) => halves.map((feature) => [node.input, feature]));
    case 'concatElu':
      return ofEach((feature) => [[node.input, feature % (node.size / 2)]]);
    case 'concat':
      return node.inputs.flatMap((input) =>
        Array.from({ length: nodes[input]?.size ?? 0 }, (_, feature): Source[] => [[input, feature]]),
      );
    case 'slice':
      return ofEach((feature) => [[node.input, node.start + feature]]);
    case 'oneHot':
    case 'oneHotLevels':
    case 'embedLevels': {
      const each = node.size / (nodes[node.input]?.size ?? 1); // features of one number
      return ofEach((feature) => [[node.input, Math.floor(feature / each)]]);
    }
    case 'normalize':
    case 'softmax':
    case 'logSoftmax': {
      const all = ofEach((feature) => [[node.input, feature]]).flat();
      const group = node.size / node.groups;
      const groups = Array.from({ length: node.groups }, (_, g) => all.slice(g * group, (g + 1) * group));
      return ofEach((feature) => groups[Math.floor(feature / group)] as Source[]);
    }
    default:
      return ofEach((feature) => operandsOf(node).map((operand) => [operand, feature]));
  }
}

/** For each feature of a gate the two of its input that it is made of. */
export function gateInputs({ size, groups }: { size: number; groups: number }): [a: number, b: number][] {
  const group = size / groups;
  return Array.from({ length: size }, (_, f) => {
    const a = f + Math.floor(f / group) * group;
    return [a, a + group];
  });
}

/** The numbers of a weight, row-major. */
export interface Weight {
  /** A kernel's is [rows, columns, in, out]. */
  readonly shape: readonly number[];
  /** As many as the shape says. */
  readonly data: Float32Array;
}

/**
 * A model as plain data: its program and its named weights, no functions, no tensors. `structuredClone` and
 * `postMessage` carry it, `writePortable` puts it into a file.
 */
export interface PortableModel {
  /** The program: each node is made of earlier ones. */
  readonly nodes: readonly Node[];
  /** The node of the outputs: C*L logits, channel by channel, or the parameters of another distribution. */
  readonly output: number;
  /** What the outputs mean. @default a softmax over levels */
  readonly distribution?: DistributionShape;
  /** [H, W, C]; H and W null where the model takes images of any size. */
  readonly imageShape: readonly [number | null, number | null, number];
  /** L, the levels (intensities or categories) that a channel can have. */
  readonly levels: number;
  /** What the model is conditioned on, in the order of its inputs; empty for nothing. */
  readonly conditions: readonly ConditionShape[];
  /** By the names that the nodes have. */
  readonly weights: ReadonlyMap<string, Weight>;
}

/** Checks that a model has the form of a portable one: not yet what is in it. */
export function checkModel(what: string, model: unknown): void {
  const { nodes, imageShape, conditions, weights } = (model ?? {}) as Partial<PortableModel>;
  if (![nodes, imageShape, conditions].every(Array.isArray) || typeof weights?.get !== 'function') {
    throwTypeError(what, 'a portable model, as toPortable makes or readPortable reads', model);
  }
}
