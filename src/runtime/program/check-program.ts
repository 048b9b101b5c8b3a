import {
  anything,
  checkDeclared,
  checkFieldsOf,
  integer,
  optional,
  pair,
  trueIfGiven,
} from '../core/arguments';
import {
  checkInteger,
  checkList,
  checkMaxValues,
  checkMemory,
  checkOneOf,
  MAX_CATEGORIES,
  sizeFromShape,
  throwTypeError,
} from '../core/check';
import {
  type ConditionShape,
  checkKinds,
  conditionFeatures,
  isOfPlaces,
  sizeOfMap,
} from '../core/conditions';
import { MAX_LENGTH } from '../core/images';
import { checkStoredSymmetry } from '../core/symmetries';
import { checkDistributionShape, distributionOf, numParametersOf } from '../distributions/kinds';
import { channelOf, outputsName } from '../distributions/pixel-distribution';
import { imageProgram, type MapSize, wholeMaps } from './maps';
import { checkedSize } from './nodes';
import { type OperandShape, type Operation, weight, weightOrNone } from './operation';
import { type OperationName, operationOf, operations } from './operations';
import { operandsOf, type PortableModel, type ProgramNode, packedOf, type Weight } from './program';
import { checkImageSize, firstLeak, type Readiness, readinessOf } from './readiness';

// Files are not trusted, since they may be damaged or malicious. Every field of every node is
// checked, every size is recomputed, and the length of the file bounds the cost of evaluation.

/** A model of which only the weights have been checked. */
export type UncheckedModel = Pick<PortableModel, 'weights'> & {
  readonly [Part in keyof PortableModel]?: unknown;
};

/** The most products a pixel, since nodes may share weights: a short file cannot ask for a long computation. */
const mostWork = (numNodes: number, numbers: number): number => 2 ** 16 + 512 * numNodes + 64 * numbers;

/** The cost of a feature, in products, since several numbers are stored for it. */
const FEATURE = 4;

/**
 * Checks that a model can be evaluated value by value, that it sees no value before its turn, and
 * that its program is not implausibly long for its weights, which {@link checkWeight} has checked.
 * Takes time proportional to the file's length.
 *
 * @param maxValues as in `readPortable`
 * @throws TypeError or Error that states what is wrong; RangeError beyond `maxValues`
 */
export function checkProgram(model: UncheckedModel, maxValues: number): asserts model is PortableModel {
  const { imageShape, levels, conditions, nodes, output, weights, distribution } = model;
  const [height, width, channels] = checkList('imageShape', imageShape, 3) as PortableModel['imageShape'];
  const values = checkedProduct('imageShape', [height ?? 1, width ?? 1, channels], MAX_LENGTH); // null for any
  checkMaxValues('imageShape', values, maxValues);
  const numLevels = checkInteger('levels', levels, 2, MAX_CATEGORIES);
  const shapes = checkList('conditions', conditions).map((condition, index) =>
    checkConditionShape(condition, index, maxValues),
  );
  checkKinds('conditions', shapes);

  const sizes = checkNodes(checkList('nodes', nodes), channels, values / channels, shapes, weights);
  const size = sizes[checkInteger('output', output, 0, sizes.length - 1)];
  const pixel = { imageChannels: channels, levels: numLevels };
  const shape = checkDistributionShape(distribution, pixel, maxValues);
  // Checked before a distribution of this size is made, since even a short file may state any size.
  const wanted = numParametersOf(shape, pixel);
  const ofPixel = `a ${shape.kind} of ${channels} channels and ${levels} levels`;
  if (size !== wanted) throwTypeError('output', `a node of ${wanted} numbers, for ${ofPixel}`, size);
  checkOutputs(model as PortableModel, maxValues);
  if (model.symmetry !== undefined) checkStoredSymmetry(model as PortableModel);
}

const count = integer({ from: 1, to: MAX_CATEGORIES });
const shape = pair(integer({ from: 1, to: MAX_LENGTH }));

const conditionFields = {
  class: { numClasses: count, nullClass: trueIfGiven() },
  vector: { size: count },
  map: { size: count, shape: optional(shape) },
  codes: { levels: integer({ from: 2, to: MAX_CATEGORIES }), shape },
};

function checkConditionShape(condition: unknown, index: number, maxValues: number): ConditionShape {
  const what = `conditions: ${index}`;
  const given = (condition ?? {}) as Partial<ConditionShape>;
  const kinds = Object.keys(conditionFields) as (keyof typeof conditionFields)[];
  const kind = checkOneOf(`${what}: kind`, given.kind, kinds);
  checkDeclared(what, condition, { kind: anything(), ...conditionFields[kind] });
  const checked = condition as ConditionShape;
  checkMaxValues(`${what}: shape`, sizeFromShape(sizeOfMap(checked) ?? []), maxValues);
  return checked;
}

/** Checks lengths and returns their product. */
function checkedProduct(what: string, lengths: readonly unknown[], most?: number): number {
  return lengths.reduce<number>((product, length) => product * checkInteger(what, length, 1, most), 1);
}

/** Checks that a weight consists of finite numbers, as many as its shape requires. Packed ones always are. */
export function checkWeight(name: string, weight: Weight): void {
  const what = `weight '${name}'`;
  const size = checkedProduct(`${what}: shape`, checkList(`${what}: shape`, weight.shape));
  const packed = packedOf(weight)?.packed;
  const data = packed ?? weight.data;
  if (!(data instanceof (packed ? Uint16Array : Float32Array)))
    throwTypeError(`${what}: data`, 'a Float32Array', data);
  if (data.length !== size) throwTypeError(`${what}: data`, `${size} numbers`, data.length);
  const bad = packed ? undefined : weight.data.find((value) => !Number.isFinite(value));
  if (bad !== undefined) throwTypeError(what, 'finite numbers', bad);
}

/** Checks that there are outputs for each pixel, and that those of each channel depend only on earlier values. */
function checkOutputs(model: PortableModel, maxValues: number): void {
  const { output, imageShape } = model;
  const distribution = distributionOf(model);
  const { nodes, conditions, sizes, maps } = imageProgram(model);
  checkMaps(model, sizes, maps, maxValues);
  const readiness = readinessOf(nodes, conditions);
  checkImageSize('imageShape', imageShape, readiness);
  checkTablesOfPlaces(model, sizes, readiness);
  const { times, scale } = readiness[output] as Readiness;
  if (scale > 1) throwTypeError('output', "a node of the image's resolution", `one of every ${scale} rows`);
  const channel = firstLeak(times, (parameter) => channelOf(distribution, parameter));
  if (channel < 0) return;
  const leaks = `its ${outputsName(distribution)} of channel ${channel} see that channel or a later one`;
  throw new Error(`output: the model is not causal: ${leaks}`);
}

type MapSizes = ReturnType<typeof imageProgram>['sizes'];

/** Checks that tables with a row for each place fit the maps that they are added to. */
function checkTablesOfPlaces(model: PortableModel, sizes: MapSizes, readiness: readonly Readiness[]): void {
  for (const [index, node] of model.nodes.entries()) {
    const { tableOfPlaces } = operationOf(node);
    if (tableOfPlaces === undefined) continue;
    const name = (node as unknown as Record<string, string>)[tableOfPlaces] as string;
    const { shape } = model.weights.get(name) as Weight;
    const { scale } = readiness[index] as Readiness;
    const wanted = (sizes[index] as MapSize).map((length) => length && length / scale);
    if (String(shape.slice(0, 2)) !== String(wanted))
      throwTypeError(`node ${index} (${node.op}): ${tableOfPlaces}: height and width`, `[${wanted}]`, shape);
  }
}

/** Checks that maps of conditions are no larger than the (largest) image, and that whole maps fit in memory. */
function checkMaps(model: PortableModel, sizes: MapSizes, maps: readonly number[], maxValues: number): void {
  const [height, width] = model.imageShape.map((length) => length ?? MAX_LENGTH) as [number, number];
  const places = sizes.map((size, index) => {
    const [h, w] = (size ?? [1, 1]).map((length) => length ?? 1) as [number, number];
    if (h > height || w > width) throwTypeError(`node ${index}: map`, 'one no larger than the image', size);
    checkMaxValues(`node ${index}: map`, h * w, maxValues);
    return h * w;
  });
  const numbers = wholeMaps(model.nodes, maps).map((index) => {
    const node = model.nodes[index] as ProgramNode;
    return node.op === 'upsample' && !node.spread ? 0 : (places[index] as number) * node.size; // repeated places are not stored
  });
  checkMemory('nodes: numbers of all maps that come before the image', [sum(numbers)]);
}

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);

const required = anything();
const ofAll = { op: required, size: required };
const ofSeveral = { ...ofAll, inputs: required };

/** The fields of nodes besides those of their operation, by its number of operands. They are checked one by one. */
const nodeFields = { 0: ofAll, 1: { ...ofAll, input: required }, 3: ofSeveral, any: ofSeveral };

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
  const most = mostWork(nodes.length, sum([...weights.values()].map(({ shape }) => sizeFromShape(shape))));
  let work = 0;
  const checked: OperandShape[] = [];
  const unusedWeights = new Set<unknown>(weights.keys());
  const usedConditions = new Set<number>();
  for (const [index, given] of nodes.entries()) {
    const { op, size } = (given ?? {}) as { op?: unknown; size?: unknown };
    const known = Object.keys(operations);
    if (!known.includes(op as string)) throwTypeError(`node ${index}: op`, known.join(' or '), op);
    const what = `node ${index} (${op})`;
    if ((op === 'image') !== (index === 0)) throwTypeError(what, 'the image as the first node only', op);
    const operation: Operation = operations[op as OperationName];
    const record = checkFieldsOf(what, given, { ...nodeFields[operation.operands], ...operation.fields });
    const node = given as ProgramNode; // each of its fields is checked below
    if ('inputs' in node) checkList(`${what}: inputs`, node.inputs);
    const operands = operandsOf(node).map(
      (operand) => checked[checkInteger(`${what}: input`, operand, 0, index - 1)] as OperandShape,
    );
    checkInteger(`${what}: size`, size, 1);
    const fields: Record<string, unknown> = {};
    for (const [name, field] of Object.entries(operation.fields)) {
      fields[name] = record[name];
      const isWeight = field === weight || field === weightOrNone;
      const found = isWeight ? weights.get(record[name] as string) : undefined;
      if (found === undefined) continue;
      fields[name] = { name: record[name], shape: found.shape };
      unusedWeights.delete(record[name]);
    }
    let wanted = checkedSize(operation, operands, fields, what, node.size);
    let isConstant = !operation.makesMaps && operands.every((operand) => operand.isConstant);
    if (node.op === 'image') wanted = channels;
    if (node.op === 'condition') {
      const condition = conditions[node.index];
      const known = `one of ${conditions.length} conditions, each read by one node`;
      if (condition === undefined || usedConditions.has(node.index))
        throwTypeError(`${what}: index`, known, node.index);
      usedConditions.add(node.index);
      wanted = conditionFeatures(condition);
      isConstant = !isOfPlaces(condition);
    }
    if (wanted !== size) throwTypeError(`${what}: size`, String(wanted), size);
    const sizes = operands.map((operand) => operand.size);
    work += FEATURE * (wanted + sum(sizes)) + (operation.work?.(node, sizes, places, what) ?? 0);
    if (work > most) throwTypeError(what, `at most ${most} products a pixel for a file of this size`, work);
    checked.push({ size: wanted, isConstant });
  }
  for (const name of unusedWeights)
    throwTypeError(`weight '${name}'`, 'one that a node uses', 'an unused one');
  return checked.map(({ size }) => size);
}
