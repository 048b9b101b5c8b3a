import {
  checkBoolean,
  checkFeatures,
  checkFields,
  checkInteger,
  checkList,
  checkMaxValues,
  checkMemory,
  checkNumber,
  checkOneOf,
  throwTypeError,
} from '../core/check';
import { type ConditionShape, checkKinds, conditionFeatures, isOfPlaces } from '../core/conditions';
import { MOST_LENGTH } from '../core/images';
import type { KernelWindow } from '../core/window';
import { checkDistributionShape, distributionOf, numParametersOf } from '../distributions/kinds';
import { channelOf, outputsName } from '../distributions/pixel-distribution';
import { wholeVectors } from '../kernels/instruction';
import { imageProgram, mapSizes, wholeMaps } from './maps';
import { checkConstantConv, checkEncodedLevels, checkEnlarge, isOfPath } from './ops';
import {
  combinationNames,
  gateNames,
  lstmPaths,
  operandsOf,
  type PortableModel,
  type ProgramNode,
  pointwiseNames,
  softmaxNames,
  type Weight,
} from './program';
import { checkImageSize, firstLeak, type Readiness, readinessOf } from './readiness';

// A file is not to be trusted: it may be damaged or malicious. Every field of every node is checked, every size is
// recomputed, and the cost of evaluation is bounded by the length of the file.

/** A model with named weights that is otherwise unchecked. */
export type UncheckedModel = Readonly<
  Record<Exclude<keyof PortableModel, 'distribution' | 'palette' | 'info'>, unknown>
> &
  Pick<PortableModel, 'weights'> & { readonly distribution?: unknown };

/** Levels, classes and the numbers of a condition are counted in float32, which is exact up to here. */
const MOST_LEVELS = 2 ** 24;

/**
 * How many products, of whole vectors, a program may take at each pixel. Several nodes may share weights, and features
 * may be repeated, but a short file cannot make a long program.
 */
const mostWork = (numNodes: number, numbers: number): number => 2 ** 16 + 512 * numNodes + 64 * numbers;

/** The cost of a feature, in products: several numbers are kept for it. */
const FEATURE = 4;

/**
 * Checks that a model can be evaluated value by value, that it sees no value before its turn, and that its program is
 * not longer than is plausible for its weights, which have been checked by {@link checkWeight}. Takes time proportional
 * to the file's length.
 *
 * @param maxValues as in `readPortable`
 * @throws TypeError or Error that says what is wrong; RangeError beyond `maxValues`
 */
export function checkProgram(model: UncheckedModel, maxValues: number): asserts model is PortableModel {
  const { imageShape, levels, conditions, nodes, output, weights, distribution } = model;
  const channels = checkImageShape(imageShape, maxValues);
  const numLevels = checkInteger('levels', levels, 2, MOST_LEVELS);
  const shapes = checkList('conditions', conditions).map((condition, index) =>
    checkConditionShape(condition, index, maxValues),
  );
  checkKinds('conditions', shapes);

  const list = checkList('nodes', nodes);
  const numbers = sum([...weights.values()].map(({ data }) => data.length));
  const checked = new CheckedNodes(
    channels,
    placesOf(imageShape),
    shapes,
    weights,
    mostWork(list.length, numbers),
  );
  for (const node of list) checked.add(node);
  for (const name of weights.keys()) {
    if (!checked.usedWeights.has(name))
      throwTypeError(`weight '${name}'`, 'one that a node uses', 'none that does');
  }
  const size = checked.sizes[checkInteger('output', output, 0, checked.sizes.length - 1)];
  const pixel = { imageChannels: channels, levels: numLevels };
  const shape = checkDistributionShape(distribution, pixel, maxValues);
  // Checked before a distribution of this size is made, since even a short file may contain any number.
  const wanted = numParametersOf(shape, pixel);
  if (size !== wanted)
    throwTypeError(
      'output',
      `a node of ${wanted} numbers, for a ${shape.kind} of ${channels} channels and ${levels} levels`,
      size,
    );
  checkOutputs(model as PortableModel, maxValues);
}

/** @returns the channels */
function checkImageShape(imageShape: unknown, maxValues: number): number {
  const [height, width, channels] = checkList('imageShape', imageShape, 3);
  const values = checkedProduct('imageShape', [height ?? 1, width ?? 1, channels], MOST_LENGTH); // null for any
  checkMaxValues('imageShape', values, maxValues);
  return channels as number;
}

const placesOf = (imageShape: unknown): number => {
  const [height, width] = imageShape as PortableModel['imageShape'];
  return (height ?? 1) * (width ?? 1);
};

function checkConditionShape(condition: unknown, index: number, maxValues: number): ConditionShape {
  const what = `conditions: ${index}`;
  const { kind } = (condition ?? {}) as Partial<ConditionShape>;
  checkOneOf(`${what}: kind`, kind as string, ['class', 'vector', 'map', 'codes']);
  if (kind === 'codes') return checkCodes(what, condition, maxValues);
  const name = kind === 'class' ? 'numClasses' : 'size';
  const hasNullClass = kind === 'class' && Object.hasOwn(condition as object, 'nullClass');
  const fields = checkFields(what, condition, ['kind', name, ...(hasNullClass ? ['nullClass'] : [])]);
  checkInteger(`${what}: ${name}`, fields[name], 1, MOST_LEVELS);
  if (hasNullClass && fields['nullClass'] !== true)
    throwTypeError(`${what}: nullClass`, 'true, or no such field', fields['nullClass']);
  return condition as ConditionShape;
}

function checkCodes(what: string, condition: unknown, maxValues: number): ConditionShape {
  const { levels, shape } = checkFields(what, condition, ['kind', 'levels', 'shape']);
  checkInteger(`${what}: levels`, levels, 2, MOST_LEVELS);
  const count = checkedProduct(`${what}: shape`, checkList(`${what}: shape`, shape, 2), MOST_LENGTH);
  checkMaxValues(`${what}: shape`, count, maxValues);
  return condition as ConditionShape;
}

/** The product of lengths, each of which is checked. */
function checkedProduct(what: string, lengths: readonly unknown[], most?: number): number {
  return lengths.reduce<number>((product, length) => product * checkInteger(what, length, 1, most), 1);
}

/** Checks that a weight consists of finite numbers, as many as its shape requires. */
export function checkWeight(name: string, { shape, data }: Weight): Weight {
  const what = `weight '${name}'`;
  const size = checkedProduct(`${what}: shape`, checkList(`${what}: shape`, shape));
  if (!(data instanceof Float32Array)) throwTypeError(`${what}: data`, 'a Float32Array', data);
  if (data.length !== size) throwTypeError(`${what}: data`, `${size} numbers`, data.length);
  const bad = data.find((value) => !Number.isFinite(value));
  if (bad !== undefined) throwTypeError(what, 'finite numbers', bad);
  return { shape, data };
}

/** There must be outputs for each pixel, and those of each channel may only depend on what is known by its turn. */
function checkOutputs(model: PortableModel, maxValues: number): void {
  const { output, imageShape } = model;
  const distribution = distributionOf(model);
  const program = imageProgram(model);
  checkMaps(model, program.maps, maxValues);
  const readiness = readinessOf(program.nodes, program.conditions);
  checkImageSize('imageShape', imageShape, readiness);
  const { times, scale } = readiness[output] as Readiness;
  if (scale > 1) throwTypeError('output', "a node of the image's resolution", `one of every ${scale} rows`);
  const channel = firstLeak(times, (parameter) => channelOf(distribution, parameter));
  if (channel < 0) return;
  throw new Error(
    `output: not causal: the ${outputsName(distribution)} of channel ${channel} see that channel or what comes later`,
  );
}

/**
 * Checks that maps computed from conditions are not larger than the image (or the greatest image allowed), and that
 * those kept as a whole fit into memory.
 */
function checkMaps(model: PortableModel, maps: readonly number[], maxValues: number): void {
  const [height, width] = model.imageShape.map((length) => length ?? MOST_LENGTH) as [number, number];
  const sizes = mapSizes(model);
  for (const [index, size] of sizes.entries()) {
    const [h, w] = size ?? [null, null];
    if ((h ?? 0) > height || (w ?? 0) > width)
      throwTypeError(`node ${index}: map`, 'one no larger than the image', size);
    checkMaxValues(`node ${index}: map`, (h ?? 1) * (w ?? 1), maxValues);
  }
  const numbers = wholeMaps(model.nodes, maps).map((index) => {
    const { op, size } = model.nodes[index] as ProgramNode;
    const [h, w] = sizes[index] ?? [1, 1];
    return op === 'enlarge' ? 0 : (h ?? 1) * (w ?? 1) * size; // enlarged maps are not stored
  });
  checkMemory('nodes: numbers of all maps that come before the image', [sum(numbers)]);
}

/** The fields that a node has besides `op` and `size`, by its operation. */
const fieldsOf: ReadonlyMap<unknown, readonly string[]> = /* @__PURE__ */ (() =>
  new Map([
    ['image', []],
    ['condition', ['index']],
    ['conv', ['input', 'kernel', 'bias', 'window']],
    ['pointwise', ['input', 'fn', 'parameter']],
    ...[...combinationNames, 'concat'].map((op): [string, string[]] => [op, ['inputs']]),
    ['shift', ['input', 'rows', 'columns']],
    ['attend', ['inputs', 'heads']],
    ['lstm', ['input', 'kernel', 'kernelSize', 'path', 'groups']],
    ['enlarge', ['input', 'rows', 'columns']],
    ['position', ['input']],
    ['concatElu', ['input']],
    ...[...gateNames, ...softmaxNames].map((op): [string, string[]] => [op, ['input', 'groups']]),
    ['affine', ['input', 'scale', 'shift']],
    ['normalize', ['input', 'scale', 'shift', 'epsilon', 'groups']],
    ['oneHot', ['input']],
    ['slice', ['input', 'start']],
    ['oneHotLevels', ['input', 'levels']],
    ['embedLevels', ['input', 'table']],
  ]))();

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);

/** The nodes checked so far, and what is known about them. */
class CheckedNodes {
  /** The number of features of each. */
  readonly sizes: number[] = [];
  readonly usedWeights = new Set<string>();
  private readonly usedConditions = new Set<number>();
  /** Whether each is the same at every pixel: computed from vector conditions only. */
  private readonly areConstant: boolean[] = [];
  private work = 0;

  constructor(
    private readonly channels: number,
    /** Rows times columns of the image; 1 for images of any size, since the file does not determine their memory. */
    private readonly places: number,
    private readonly conditions: readonly ConditionShape[],
    private readonly weights: ReadonlyMap<string, Weight>,
    private readonly mostWork: number,
  ) {}

  /** Checks the next node. */
  add(given: unknown): void {
    const index = this.sizes.length;
    const { op } = (given ?? {}) as { op?: unknown };
    const names =
      fieldsOf.get(op) ?? throwTypeError(`node ${index}: op`, [...fieldsOf.keys()].join(' or '), op);
    const what = `node ${index} (${op})`;
    if ((op === 'image') !== (index === 0))
      throwTypeError(what, 'the image as the first node, and there only', op);
    checkFields(what, given, ['op', 'size', ...names]);
    const node = given as ProgramNode; // each of its fields is checked below
    if ('inputs' in node && checkList(`${what}: inputs`, node.inputs).length === 0) {
      throwTypeError(`${what}: inputs`, 'at least one', 0);
    }
    const operands = operandsOf(node);
    for (const operand of operands) checkInteger(`${what}: input`, operand, 0, index - 1);
    checkInteger(`${what}: size`, node.size, 1);
    const sizes = operands.map((operand) => this.sizes[operand] as number);
    const size = this.sizeOf(what, node, sizes);
    if (size !== node.size) throwTypeError(`${what}: size`, String(size), node.size);
    this.spend(what, FEATURE * (size + sum(sizes)));
    this.areConstant.push(this.isConstant(node));
    this.sizes.push(size);
  }

  /** Checks the fields of a node, and returns how many features it computes from operands of these sizes. */
  private sizeOf(what: string, node: ProgramNode, sizes: readonly number[]): number {
    const [input = 0] = sizes;
    switch (node.op) {
      case 'image':
        return this.channels;
      case 'condition':
        return this.sizeOfCondition(what, node.index);
      case 'conv':
        this.checkConv(what, node, input);
        return node.size;
      case 'pointwise':
        checkOneOf(`${what}: fn`, node.fn, pointwiseNames);
        checkNumber(`${what}: parameter`, node.parameter, 'that is finite', () => true);
        return input;
      case 'concat':
        return sum(sizes);
      case 'slice':
        checkInteger(`${what}: size`, node.size, 1, input);
        checkInteger(`${what}: start`, node.start, 0, input - node.size);
        return node.size;
      case 'shift':
        this.checkShift(what, node, input);
        return input;
      case 'enlarge':
        checkEnlarge(what, node.rows, node.columns);
        this.checkIsMap(what, node);
        return input;
      case 'position':
        this.checkIsMap(what, node);
        return 2;
      case 'attend':
        this.checkAttend(what, node, sizes);
        return input;
      case 'lstm':
        return this.sizeOfLSTM(what, node, input);
      case 'concatElu':
        return 2 * input;
      case 'gate':
      case 'linearGate':
        checkInteger(`${what}: groups`, node.groups, 1);
        return checkFeatures(`${what}: input`, input, 2 * node.groups, '2 * groups') / 2;
      case 'softmax':
      case 'logSoftmax':
        checkInteger(`${what}: groups`, node.groups, 1);
        return checkFeatures(`${what}: input`, input, node.groups, 'groups');
      case 'affine':
      case 'normalize':
        this.checkUse(`${what}: scale`, node.scale, [input]);
        this.checkUse(`${what}: shift`, node.shift, [input]);
        if (node.op === 'normalize') {
          checkNumber(`${what}: epsilon`, node.epsilon, 'of at least 0', (epsilon) => epsilon >= 0);
          checkInteger(`${what}: groups`, node.groups, 1);
          checkFeatures(`${what}: input`, input, node.groups, 'groups');
        }
        return input;
      case 'oneHot':
        if (input !== 1) throwTypeError(`${what}: input`, 'one feature', input);
        return node.size;
      case 'oneHotLevels':
        return input * checkEncodedLevels(`${what}: levels`, node.levels);
      case 'embedLevels': {
        const [levels = 0, units = 0] = this.weights.get(node.table)?.shape ?? [];
        this.checkUse(`${what}: table`, node.table, [levels, units]);
        checkEncodedLevels(`${what}: levels`, levels);
        return input * units;
      }
      default:
        if (sizes.some((size) => size !== input))
          throwTypeError(`${what}: inputs`, 'features of one size', sizes);
        return input;
    }
  }

  private sizeOfCondition(what: string, index: number): number {
    const condition = this.conditions[checkInteger(`${what}: index`, index, 0)];
    if (condition === undefined || this.usedConditions.has(index)) {
      throwTypeError(
        `${what}: index`,
        `one of ${this.conditions.length} conditions, each by one node`,
        index,
      );
    }
    this.usedConditions.add(index);
    return conditionFeatures(condition);
  }

  private checkConv(what: string, node: Extract<ProgramNode, { op: 'conv' }>, input: number): void {
    const window = checkWindow(`${what}: window`, node.window);
    const { kernelSize, imageChannels } = window;
    checkFeatures(`${what}: input`, input, imageChannels);
    checkFeatures(`${what}: size`, node.size, imageChannels);
    this.checkUse(`${what}: kernel`, node.kernel, [...kernelSize, input, node.size]);
    if (node.bias !== null) this.checkUse(`${what}: bias`, node.bias, [node.size]);
    if (this.areConstant[node.input]) checkConstantConv(what, window);
    const [rows, columns] = kernelSize;
    const padded = (size: number) => imageChannels * wholeVectors(size / imageChannels); // of each channel's group
    this.spend(what, rows * columns * padded(input) * padded(node.size));
  }

  private checkShift(what: string, node: Extract<ProgramNode, { op: 'shift' }>, input: number): void {
    checkInteger(`${what}: rows`, node.rows, 0, MOST_LENGTH);
    checkInteger(`${what}: columns`, node.columns, 0, MOST_LENGTH);
    this.checkIsMap(what, node);
    this.spend(what, (node.rows + 1) * (node.columns + 1) * wholeVectors(input)); // stored, with zeros around them
  }

  private checkAttend(what: string, node: Extract<ProgramNode, { op: 'attend' }>, sizes: readonly number[]) {
    const { inputs, heads } = node;
    checkList(`${what}: inputs`, inputs, 3);
    if (new Set(sizes).size > 1) throwTypeError(`${what}: inputs`, 'features of one size', sizes);
    const [size = 0] = sizes;
    checkFeatures(`${what}: input`, size, checkInteger(`${what}: heads`, heads, 1), 'heads');
    this.checkIsMap(what, node);
    checkMemory(`${what}: height, width, keys and values of the image`, [
      this.places,
      2 * wholeVectors(size),
    ]);
    this.spend(what, (this.places + 2) * wholeVectors(size)); // keys and values of half of all places on average; and what is stored
  }

  private sizeOfLSTM(what: string, node: Extract<ProgramNode, { op: 'lstm' }>, input: number): number {
    const { kernel, kernelSize, groups } = node;
    const path = checkOneOf(`${what}: path`, node.path, lstmPaths);
    const [rows, columns] = checkList(`${what}: kernelSize`, kernelSize, 2).map((length) =>
      checkInteger(`${what}: kernelSize`, length, 1),
    ) as [number, number];
    if (!isOfPath(path, rows, columns))
      throwTypeError(`${what}: kernelSize`, path === 'rows' ? '[1,k] with k odd' : '[2,1]', kernelSize);
    checkInteger(`${what}: groups`, groups, 1);
    const size = checkFeatures(`${what}: input`, input, 4 * groups, '4 * groups') / 4;
    this.checkUse(`${what}: kernel`, kernel, [rows, columns, size, input]);
    this.checkIsMap(what, node);
    const padded = groups * wholeVectors(size / groups);
    this.spend(what, rows * columns * padded * 4 * padded + FEATURE * 4 * padded); // gates are stored for each pixel of a row
    return size;
  }

  private checkIsMap(what: string, node: ProgramNode): void {
    if (operandsOf(node).some((operand) => this.areConstant[operand]))
      throwTypeError(`${what}: input`, 'features of pixels', 'what is the same at all');
  }

  /** Checks that there is a weight of this name and shape. */
  private checkUse(what: string, name: string, shape: readonly number[]): void {
    const weight = this.weights.get(name) ?? throwTypeError(what, 'the name of a weight', name);
    if (String(weight.shape) !== String(shape))
      throwTypeError(`${what} '${name}'`, `shape [${shape}]`, weight.shape);
    this.usedWeights.add(name);
  }

  private isConstant(node: ProgramNode): boolean {
    if (node.op === 'image') return false;
    if (node.op === 'condition') return !isOfPlaces(this.conditions[node.index] as ConditionShape);
    return operandsOf(node).every((operand) => this.areConstant[operand]);
  }

  private spend(what: string, work: number): void {
    this.work += work;
    if (this.work > this.mostWork) {
      throwTypeError(what, `less work in so short a file, at most ${this.mostWork}`, this.work);
    }
  }
}

function checkWindow(what: string, window: unknown): KernelWindow {
  const fields = ['kernelSize', 'anchor', 'present', 'imageChannels', 'stride', 'transposed'] as const;
  const { kernelSize, anchor, present, imageChannels, stride, transposed } = checkFields(
    what,
    window,
    fields,
  );
  const tap = checkList(`${what}: anchor`, anchor, 2);
  for (const [axis, length] of checkList(`${what}: kernelSize`, kernelSize, 2).entries()) {
    checkInteger(`${what}: kernelSize`, length, 1);
    checkInteger(`${what}: anchor`, tap[axis], 0, (length as number) - 1);
  }
  checkOneOf(`${what}: present`, present as string, ['nothing', 'A', 'B', 'everything', 'andBelow']);
  checkInteger(`${what}: imageChannels`, imageChannels, 1);
  checkOneOf(`${what}: stride`, stride as number, [1, 2]);
  checkBoolean(`${what}: transposed`, transposed);
  if (present === 'andBelow' && (stride !== 1 || transposed === true))
    throwTypeError(`${what}: stride`, '1, not transposed, of a window that looks around', stride);
  return window as KernelWindow;
}
