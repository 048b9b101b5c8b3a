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
import { imageProgram, mapSizes, wholeMaps } from './maps';
import { checkedSize } from './nodes';
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

  const sizes = checkNodes(checkList('nodes', nodes), channels, values / channels, shapes, weights);
  const size = sizes[checkInteger('output', output, 0, sizes.length - 1)];
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
  const given = (condition ?? {}) as Partial<ConditionShape>;
  const kind = checkOneOf(`${what}: kind`, given.kind, ['class', 'vector', 'map', 'codes']);
  const count = { class: 'numClasses', vector: 'size', map: 'size', codes: 'levels' }[kind];
  const fields = checkFields(
    what,
    condition,
    ['kind', count, ...(kind === 'codes' ? ['shape'] : [])],
    kind === 'class' ? ['nullClass'] : [],
  );
  checkInteger(`${what}: ${count}`, fields[count], kind === 'codes' ? 2 : 1, MAX_LEVELS);
  if (Object.hasOwn(fields, 'nullClass') && fields.nullClass !== true)
    throwTypeError(`${what}: nullClass`, 'true, or no such field', fields.nullClass);
  if (kind === 'codes') {
    const places = checkedProduct(
      `${what}: shape`,
      checkList(`${what}: shape`, fields['shape'], 2),
      MAX_LENGTH,
    );
    checkMaxValues(`${what}: shape`, places, maxValues);
  }
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
  const places = mapSizes(model).map((size, index) => {
    const [h, w] = (size ?? [1, 1]).map((length) => length ?? 1) as [number, number];
    if (h > height || w > width) throwTypeError(`node ${index}: map`, 'one no larger than the image', size);
    checkMaxValues(`node ${index}: map`, h * w, maxValues);
    return h * w;
  });
  const numbers = wholeMaps(model.nodes, maps).map((index) => {
    const { op, size } = model.nodes[index] as ProgramNode;
    return op === 'upsample' ? 0 : (places[index] as number) * size; // enlarged maps are not stored
  });
  checkMemory('nodes: numbers of all maps that come before the image', [sum(numbers)]);
}

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);

/**
 * Checks nodes in order.
 *
 * @param places rows times columns of the image; 1 for images of any size, since the file does not determine their memory
 * @returns how many features each computes
 */
function checkNodes(
  nodes: readonly unknown[],
  channels: number,
  places: number,
  conditions: readonly ConditionShape[],
  weights: PortableModel['weights'],
): number[] {
  const most = mostWork(nodes.length, sum([...weights.values()].map(({ data }) => data.length)));
  let work = 0;
  const checked: Operand[] = [];
  const unusedWeights = new Set<unknown>(weights.keys());
  const usedConditions = new Set<number>();
  for (const [index, given] of nodes.entries()) {
    const { op, size } = (given ?? {}) as { op?: unknown; size?: unknown };
    const names = Object.keys(operations);
    if (!names.includes(op as string)) throwTypeError(`node ${index}: op`, names.join(' or '), op);
    const what = `node ${index} (${op})`;
    if ((op === 'image') !== (index === 0))
      throwTypeError(what, 'the image as the first node, and there only', op);
    const operation: Operation = operations[op as OperationName];
    const operandFields = { 0: [], 1: ['input'], 3: ['inputs'], any: ['inputs'] }[operation.operands];
    const record = checkFields(what, given, [
      'op',
      'size',
      ...operandFields,
      ...Object.keys(operation.fields),
    ]);
    const node = given as ProgramNode; // each of its fields is checked below
    if ('inputs' in node) checkList(`${what}: inputs`, node.inputs);
    const operands = operandsOf(node).map(
      (operand) => checked[checkInteger(`${what}: input`, operand, 0, index - 1)] as Operand,
    );
    checkInteger(`${what}: size`, size, 1);
    const fields = Object.entries(operation.fields).map(([name, field]) => {
      const value = record[name];
      const isWeight = field === weight || field === weightOrNone;
      const found = isWeight ? weights.get(value as string) : undefined;
      if (found === undefined) return [name, value];
      unusedWeights.delete(value);
      return [name, { name: value, shape: found.shape }];
    });
    let wanted = checkedSize(operation, operands, Object.fromEntries(fields), what, node.size);
    let isConstant = operands.every((operand) => operand.isConstant);
    if (node.op === 'image') [wanted, isConstant] = [channels, false];
    if (node.op === 'condition') {
      const condition = conditions[node.index];
      if (condition === undefined || usedConditions.has(node.index))
        throwTypeError(
          `${what}: index`,
          `one of ${conditions.length} conditions, each by one node`,
          node.index,
        );
      usedConditions.add(node.index);
      [wanted, isConstant] = [conditionFeatures(condition), !isOfPlaces(condition)];
    }
    if (wanted !== size) throwTypeError(`${what}: size`, String(wanted), size);
    const sizes = operands.map((operand) => operand.size);
    work += FEATURE * (wanted + sum(sizes)) + (operation.work?.(node, sizes, places, what) ?? 0);
    if (work > most) throwTypeError(what, `at most ${most} products a pixel in a file of its size`, work);
    checked.push({ size: wanted, isConstant });
  }
  for (const name of unusedWeights)
    throwTypeError(`weight '${name}'`, 'one that a node uses', 'none that does');
  return checked.map(({ size }) => size);
}
