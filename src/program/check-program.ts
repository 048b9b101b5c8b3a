import {
  checkFields,
  checkInteger,
  checkList,
  checkMaxValues,
  checkMemory,
  checkOneOf,
  throwTypeError,
} from '../core/check';
import { type ConditionShape, checkKinds, conditionFeatures, isOfPlaces } from '../core/conditions';
import { MAX_LENGTH } from '../core/images';
import { checkDistributionShape, distributionOf, numParametersOf } from '../distributions/kinds';
import { channelOf, outputsName } from '../distributions/pixel-distribution';
import { checkedSize } from './layer-nodes';
import { imageProgram, mapSizes, wholeMaps } from './maps';
import { type Operand, type Operation, weight, weightOrNone } from './operation';
import { type OperationName, operations } from './operations';
import { operandsOf, type PortableModel, type ProgramNode, type Weight } from './program';
import { checkImageSize, firstLeak, type Readiness, readinessOf } from './readiness';

// A file is not to be trusted: it may be damaged or malicious. Every field of every node is checked, every size is
// recomputed, and the cost of evaluation is bounded by the length of the file.

/** A model with named weights that is otherwise unchecked. */
export type UncheckedModel = Readonly<
  Record<Exclude<keyof PortableModel, 'distribution' | 'palette' | 'info'>, unknown>
> &
  Pick<PortableModel, 'weights'> & { readonly distribution?: unknown };

/** Levels, classes and the numbers of a condition are counted in float32, which is exact up to here. */
const MAX_LEVELS = 2 ** 24;

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
  const [height, width, channels] = checkList('imageShape', imageShape, 3) as PortableModel['imageShape'];
  const values = checkedProduct('imageShape', [height ?? 1, width ?? 1, channels], MAX_LENGTH); // null for any
  checkMaxValues('imageShape', values, maxValues);
  const numLevels = checkInteger('levels', levels, 2, MAX_LEVELS);
  const shapes = checkList('conditions', conditions).map((condition, index) =>
    checkConditionShape(condition, index, maxValues),
  );
  checkKinds('conditions', shapes);

  const list = checkList('nodes', nodes);
  const numbers = sum([...weights.values()].map(({ data }) => data.length));
  const most = mostWork(list.length, numbers);
  const checked = new CheckedNodes(channels, values / channels, shapes, weights, most);
  for (const node of list) checked.add(node);
  for (const name of weights.keys()) {
    if (!checked.usedWeights.has(name))
      throwTypeError(`weight '${name}'`, 'one that a node uses', 'none that does');
  }
  const size = checked.facts[checkInteger('output', output, 0, checked.facts.length - 1)]?.size;
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

function checkConditionShape(condition: unknown, index: number, maxValues: number): ConditionShape {
  const what = `conditions: ${index}`;
  const { kind } = (condition ?? {}) as Partial<ConditionShape>;
  checkOneOf(`${what}: kind`, kind as string, ['class', 'vector', 'map', 'codes']);
  if (kind === 'codes') return checkCodes(what, condition, maxValues);
  const name = kind === 'class' ? 'numClasses' : 'size';
  const hasNullClass = kind === 'class' && Object.hasOwn(condition as object, 'nullClass');
  const fields = checkFields(what, condition, ['kind', name, ...(hasNullClass ? ['nullClass'] : [])]);
  checkInteger(`${what}: ${name}`, fields[name], 1, MAX_LEVELS);
  if (hasNullClass && fields['nullClass'] !== true)
    throwTypeError(`${what}: nullClass`, 'true, or no such field', fields['nullClass']);
  return condition as ConditionShape;
}

function checkCodes(what: string, condition: unknown, maxValues: number): ConditionShape {
  const { levels, shape } = checkFields(what, condition, ['kind', 'levels', 'shape']);
  checkInteger(`${what}: levels`, levels, 2, MAX_LEVELS);
  const count = checkedProduct(`${what}: shape`, checkList(`${what}: shape`, shape, 2), MAX_LENGTH);
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
  const [height, width] = model.imageShape.map((length) => length ?? MAX_LENGTH) as [number, number];
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
    return op === 'upsample' ? 0 : (h ?? 1) * (w ?? 1) * size; // enlarged maps are not stored
  });
  checkMemory('nodes: numbers of all maps that come before the image', [sum(numbers)]);
}

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);

/** The nodes checked so far, and what is known about them. */
class CheckedNodes {
  /** What is known of each. */
  readonly facts: Operand[] = [];
  readonly usedWeights = new Set<string>();
  private readonly usedConditions = new Set<number>();
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
    const index = this.facts.length;
    const { op, size } = (given ?? {}) as { op?: unknown; size?: unknown };
    const what = `node ${index} (${op})`;
    const names = Object.keys(operations);
    if (!names.includes(op as string)) throwTypeError(`node ${index}: op`, names.join(' or '), op);
    if ((op === 'image') !== (index === 0))
      throwTypeError(what, 'the image as the first node, and there only', op);
    const operation: Operation = operations[op as OperationName];
    const operandFields = { 0: [], 1: ['input'], 3: ['inputs'], any: ['inputs'] }[operation.operands];
    checkFields(what, given, ['op', 'size', ...operandFields, ...Object.keys(operation.fields)]);
    const node = given as ProgramNode; // each of its fields is checked below
    if ('inputs' in node) checkList(`${what}: inputs`, node.inputs);
    const operands = operandsOf(node);
    for (const operand of operands) checkInteger(`${what}: input`, operand, 0, index - 1);
    checkInteger(`${what}: size`, size, 1);
    const facts = operands.map((operand) => this.facts[operand] as Operand);
    const wanted = this.sizeOf(what, node, operation, facts);
    if (wanted !== size) throwTypeError(`${what}: size`, String(wanted), size);
    const sizes = facts.map((operand) => operand.size);
    this.work += FEATURE * (wanted + sum(sizes)) + (operation.work?.(node, sizes, this.places, what) ?? 0);
    if (this.work > this.mostWork)
      throwTypeError(what, `at most ${this.mostWork} products a pixel in a file of its size`, this.work);
    this.facts.push({ size: wanted, isConstant: this.isConstant(node) });
  }

  /** Checks the fields of a node, and returns how many features it computes from its operands. */
  private sizeOf(
    what: string,
    node: ProgramNode,
    operation: Operation,
    operands: readonly Operand[],
  ): number {
    const fields = Object.entries(operation.fields).map(([name, field]) => {
      const value = (node as unknown as Readonly<Record<string, unknown>>)[name];
      return [name, field === weight || field === weightOrNone ? this.reference(value) : value];
    });
    const size = checkedSize(operation, operands, Object.fromEntries(fields), what, node.size);
    if (node.op === 'image') return this.channels;
    return node.op === 'condition' ? this.sizeOfCondition(what, node.index) : size;
  }

  /** What a node refers to by this name; the name itself if there is no such weight. */
  private reference(name: unknown): unknown {
    const found = this.weights.get(name as string);
    if (found === undefined) return name;
    this.usedWeights.add(name as string);
    return { name, shape: found.shape };
  }

  private sizeOfCondition(what: string, index: number): number {
    const condition = this.conditions[index];
    const wanted = `one of ${this.conditions.length} conditions, each by one node`;
    if (condition === undefined || this.usedConditions.has(index))
      throwTypeError(`${what}: index`, wanted, index);
    this.usedConditions.add(index);
    return conditionFeatures(condition);
  }

  private isConstant(node: ProgramNode): boolean {
    if (node.op === 'image') return false;
    if (node.op === 'condition') return !isOfPlaces(this.conditions[node.index] as ConditionShape);
    return operandsOf(node).every((operand) => this.facts[operand]?.isConstant);
  }
}
