import { checkNumber, checkOneOf, throwTypeError } from '../core/check';
import type { ConditionShape } from '../core/conditions';
import type { KernelWindow } from '../core/window';
import type { DistributionShape } from '../distributions/kinds';

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
/** The name of a function of one number. */
export type PointwiseName = (typeof pointwiseNames)[number];

/** Functions whose parameter has no default. */
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
 * @throws TypeError if there is no such function, or its parameter is missing and has no default (alpha of `elu` is 1
 * by default)
 */
export function parameterOf(fn: PointwiseName, parameter: number | undefined): number {
  checkOneOf('pointwise', fn, pointwiseNames);
  const given = parameter ?? (fn === 'elu' ? 1 : needParameter.has(fn) ? undefined : 0);
  return checkNumber(`pointwise: parameter of ${fn}`, given, 'that is finite', () => true);
}

/** Elementwise operations on features of the same size. */
export const combinationNames = ['add', 'multiply', 'maximum', 'minimum'] as const;
/** The name of an elementwise operation on features of the same size. */
export type CombinationName = (typeof combinationNames)[number];

/** Gates, of a and b: tanh(a) sigmoid(b), and a sigmoid(b). */
export const gateNames = ['gate', 'linearGate'] as const;
/** The name of a gate. */
export type GateName = (typeof gateNames)[number];

/** Functions of all features of a group together. */
export const softmaxNames = ['softmax', 'logSoftmax'] as const;
/** The name of a function of all features of a group together. */
export type SoftmaxName = (typeof softmaxNames)[number];

/** The paths that the state of an LSTM may take over the pixels of an image: see `lstm` of `Ops`. */
export const lstmPaths = ['rows', 'fromLeft', 'fromRight'] as const;
/** A path that the state of an LSTM may take over the pixels of an image: see `lstm` of `Ops`. */
export type LSTMPath = (typeof lstmPaths)[number];

/**
 * One operation of a program, on the features of one pixel or, for convolutions, of a window of pixels. `size` is the
 * number of features that it computes, operands are indices of earlier nodes, and weights are referred to by name.
 */
export type ProgramNode =
  /** The image, normalized to [0, 1]: one feature for each channel. Always the first node. */
  | { readonly op: 'image'; readonly size: number }
  /** A condition, by its index: one vector for the image, or one for each pixel. */
  | { readonly op: 'condition'; readonly size: number; readonly index: number }
  /** A causal convolution: the whole kernel [rows,columns,in,out], and bias [out]. */
  | {
      readonly op: 'conv';
      readonly size: number;
      readonly input: number;
      readonly kernel: string;
      readonly bias: string | null;
      readonly window: KernelWindow;
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
  /** The features from `start` on. */
  | { readonly op: 'slice'; readonly size: number; readonly input: number; readonly start: number }
  /** The features of the place that lies `rows` above and `columns` to the left; zeros if there is none. */
  | {
      readonly op: 'shift';
      readonly size: number;
      readonly input: number;
      readonly rows: number;
      readonly columns: number;
    }
  /** Repeats each place of a map, computed from conditions only, over a number of rows and columns. */
  | {
      readonly op: 'enlarge';
      readonly size: number;
      readonly input: number;
      readonly rows: number;
      readonly columns: number;
    }
  /** The position of each place in a map: its row and its column, see `position` of `Ops`. */
  | { readonly op: 'position'; readonly size: number; readonly input: number }
  /** elu(x) of all features, then elu(-x) of all. */
  | { readonly op: 'concatElu'; readonly size: number; readonly input: number }
  /** A gate; each group of features holds a, then as many features b. */
  | { readonly op: GateName; readonly size: number; readonly input: number; readonly groups: number }
  /** Attention of queries over the keys and values of strictly earlier places, separately for each head. */
  | {
      readonly op: 'attend';
      readonly size: number;
      readonly inputs: readonly [queries: number, keys: number, values: number];
      readonly heads: number;
    }
  /**
   * The states of an LSTM, from its gates before their activations and a kernel [rows,columns,size,4*size]: see `Ops`.
   */
  | {
      readonly op: 'lstm';
      readonly size: number;
      readonly input: number;
      readonly kernel: string;
      readonly kernelSize: readonly [rows: number, columns: number];
      readonly path: LSTMPath;
      /** The number of groups of features; within each, o, f, i and g lie side by side. */
      readonly groups: number;
    }
  /** scale x + shift, with a scale and a shift for each feature, both [size]. */
  | {
      readonly op: 'affine';
      readonly size: number;
      readonly input: number;
      readonly scale: string;
      readonly shift: string;
    }
  /** (x - mean) / sqrt(variance + epsilon) over each group of features, then scale and shift, both [size]. */
  | {
      readonly op: 'normalize';
      readonly size: number;
      readonly input: number;
      readonly scale: string;
      readonly shift: string;
      readonly epsilon: number;
      readonly groups: number;
    }
  /** e^x / sum e^x over the features of each group, or its logarithm. */
  | { readonly op: SoftmaxName; readonly size: number; readonly input: number; readonly groups: number }
  /** 1 for the feature whose index is the input, else 0. */
  | { readonly op: 'oneHot'; readonly size: number; readonly input: number }
  /** 1 for the level of each number, 0 for the others: see `oneHotLevels` of `Ops`. */
  | { readonly op: 'oneHotLevels'; readonly size: number; readonly input: number; readonly levels: number }
  /** The row of a table [levels,units] that belongs to the level of each number: see `embedLevels` of `Ops`. */
  | { readonly op: 'embedLevels'; readonly size: number; readonly input: number; readonly table: string };

/** The operands of a node. */
export function operandsOf(node: ProgramNode): readonly number[] {
  if (node.op === 'image' || node.op === 'condition') return [];
  return 'inputs' in node ? node.inputs : [node.input];
}

/** The same node with other operands. */
export function withOperands(node: ImageNode, of: (operand: number) => number): ImageNode {
  if (node.op === 'image' || node.op === 'condition') return node;
  if (!('inputs' in node)) return { ...node, input: of(node.input) };
  return { ...node, inputs: node.inputs.map(of) } as ImageNode;
}

/**
 * A node that can be evaluated together with the image, unlike those that are computed on whole maps before it begins.
 */
export type ImageNode = Exclude<ProgramNode, { op: 'enlarge' | 'position' }>;

/** A node that acts on each pixel separately. */
export type FeaturewiseNode = Exclude<
  ImageNode,
  { op: 'image' | 'condition' | 'conv' | 'shift' | 'attend' | 'lstm' }
>;

/** A feature of a node. */
export type Source = readonly [node: number, feature: number];

/**
 * For each feature of a node that acts on each pixel separately, the features of the same pixel that it depends on.
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

/** For each feature of a gate, the two input features that it depends on. */
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
  /** The numbers, as many as the shape requires. */
  readonly data: Float32Array;
}

/**
 * A model as plain data: its program and its named weights, without functions or tensors. It can be passed to
 * `structuredClone`, `postMessage` and `writePortable`. Once it has been used, its weights must not be changed in place:
 * what was made of them is used again.
 */
export interface PortableModel {
  /** The program: each node depends on earlier ones. */
  readonly nodes: readonly ProgramNode[];
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
  /** The weights, by the names that nodes refer to. */
  readonly weights: ReadonlyMap<string, Weight>;
  /** What each level looks like, [L, 1 or 3]: a grey, or red, green and blue. Nothing is computed from it. */
  readonly palette?: Uint8Array;
  /** What there is to know about the model, such as its name, source, licence and training data. */
  readonly info?: Readonly<Record<string, string>>;
}

/** Checks that a model has the form of a portable model; its contents are checked elsewhere. */
export function checkModel(what: string, model: unknown): void {
  const { nodes, imageShape, conditions, weights } = (model ?? {}) as Partial<PortableModel>;
  if (![nodes, imageShape, conditions].every(Array.isArray) || typeof weights?.get !== 'function') {
    throwTypeError(what, 'a portable model, as toPortable makes or readPortable reads', model);
  }
}
