import { serialization, util } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { checkList, show, throwTypeError } from '../runtime/core/check';

/** The fields of an object in a file, by the names that tfjs uses. */
type Fields = Readonly<Record<string, unknown>>;

const MAX_AXES = 6; // of a tensor in tfjs

/** The output of a call of a layer, which tfjs calls a node. */
type Reference = { readonly layer: string; readonly call: number };

type Call = { readonly layer: string; readonly inputs: readonly Reference[] };

/**
 * Checks the graph of a saved model, and of models in it: tfjs 4.22 waits forever for an input that is missing.
 *
 * @param saved a model or layer as stored in a file, `{ class_name, config }`, or as tfjs passes it to `fromConfig`
 * @throws Error naming the layer and its missing input
 */
export function checkSavedGraph(what: string, saved: unknown): void {
  if (typeof saved !== 'object' || saved === null) return;
  if (Object.hasOwn(saved, '__proto__')) throw new Error(`${what}: a field is named '__proto__'`);
  const { className, config } = fieldsOf(saved);
  const fields = fieldsOf(config);
  if (className !== 'Sequential' && isGraph(fields)) checkGraph(what, fields);
  // tfjs makes shapes as long as an axis requires, however large.
  const axes = [fields['axis'], fields['axes']].flat();
  const wrong = axes.find((axis) => typeof axis === 'number' && !(Math.abs(axis) <= MAX_AXES));
  if (wrong !== undefined) throwTypeError(`${what}: axis`, `at most ${MAX_AXES}`, wrong);
  for (const value of Object.values(saved)) checkSavedGraph(what, value);
}

/** How many numbers weights may have, and are left. `isStrict` is `strict` of `loadLayersModel`. */
let limit: { what: string; numValues: number; left: number; isStrict: boolean } | null = null;

/**
 * Limits the weights of the model that tfjs makes in this turn to as many numbers as its file has. tfjs would allocate
 * all weights before it finds that the file's do not fit. Whatever the sizes in a file are called, they end up in the
 * shapes of weights. Models loaded with `strict: false` have no limit, since they may have further weights.
 */
export function limitWeights(what: string, numValues: number): void {
  const isSet = limit !== null;
  limit = { what, numValues, left: numValues, isStrict: false };
  if (isSet) return;
  const layer = layers.Layer.prototype as unknown as {
    addWeight(name: string, shape: readonly number[], ...rest: unknown[]): unknown;
    setFastWeightInitDuringBuild(value: boolean): void;
  };
  const { addWeight, setFastWeightInitDuringBuild } = layer;
  layer.setFastWeightInitDuringBuild = function (value) {
    if (value && limit !== null) limit.isStrict = true;
    setFastWeightInitDuringBuild.call(this, value);
  };
  layer.addWeight = function (name, shape, ...rest) {
    if (limit?.isStrict) {
      limit.left -= util.sizeFromShape([...shape]);
      if (!(limit.left >= 0)) {
        const { what, numValues } = limit;
        const who = `${what}: weight ${show(name)} of layer ${show((this as { name?: string }).name)}`;
        throwTypeError(who, `weights of ${numValues} numbers in all, as the file has`, shape);
      }
    }
    return addWeight.call(this, name, shape, ...rest);
  };
  queueMicrotask(() => {
    limit = null;
    Object.assign(layer, { addWeight, setFastWeightInitDuringBuild });
  });
}

/** The fields of an object, in camel case, since files may have `inbound_nodes` or `inboundNodes`. */
function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [camelCase(name), field]));
}

/** Converts a name to camel case, as tfjs does. */
const camelCase = (name: string) =>
  name.length < 2 ? name : name.replace(/_+(\w|$)/g, (_, letter: string) => letter.toUpperCase());

/** Whether these are the fields of a graph, and not of a layer that wraps others without listing their inputs. */
function isGraph({ layers, inputLayers, outputLayers }: Fields): boolean {
  if (!Array.isArray(layers)) return false;
  const hasEnds = inputLayers !== undefined || outputLayers !== undefined;
  return hasEnds || layers.some((layer) => 'inboundNodes' in fieldsOf(layer));
}

function checkGraph(what: string, graph: Fields): void {
  const all = (graph['layers'] as unknown[]).map(fieldsOf);
  /** How many calls of each layer can be referred to so far. */
  const made = new Map<string, number>();
  for (const { name, className, config } of all) {
    // tfjs stores layers by name in plain objects, where names such as `constructor` already exist.
    if (typeof name !== 'string' || name in {}) throwTypeError(what, 'the name of a layer', name);
    const ownName = fieldsOf(config)['name'] ?? name;
    if (ownName !== name)
      throwTypeError(`${what}: layer ${show(name)}`, 'the same name in its config', ownName);
    if (made.has(name)) throw new Error(`${what}: two layers are named ${show(name)}`);
    made.set(name, hasFirstNode(className) ? 1 : 0);
  }
  const calls = all.flatMap(({ name: layer, inboundNodes }): Call[] => {
    const who = `${what}: layer ${show(layer)}`;
    const nodes = checkList(`${who}: inbound nodes`, inboundNodes);
    const called = nodes.map((node) => ({ layer: layer as string, inputs: readReferences(who, node) }));
    return called.filter(({ inputs }) => inputs.length > 0);
  });
  const inTheEnd = new Map(made);
  for (const { layer } of calls) addCall(inTheEnd, layer);
  for (const { layer, inputs } of calls) checkReferences(`${what}: layer ${show(layer)}`, inputs, inTheEnd);
  checkOrder(what, calls, made);
  for (const side of ['input', 'output']) {
    const who = `${what}: the model's ${side}`;
    checkReferences(who, readReferences(who, graph[`${side}Layers`]), inTheEnd);
  }
}

const addCall = (counts: Map<string, number>, layer: string) =>
  counts.set(layer, (counts.get(layer) as number) + 1);

/** Whether a layer has an output without being called, like inputs, and models, whose first node made them. */
function hasFirstNode(className: unknown): boolean {
  if (className === 'InputLayer') return true;
  const { classNameMap } = serialization.SerializationMap.getMap();
  const name = camelCase(String(className));
  const [Class] = Object.hasOwn(classNameMap, name) ? (classNameMap[name] ?? []) : [];
  return typeof Class?.prototype?.predict === 'function';
}

function readReferences(who: string, list: unknown): Reference[] {
  return checkList(`${who}: inputs`, list).map((reference) => {
    const [layer, call, tensor] = Array.isArray(reference) ? reference : [];
    const isIndex = (index: unknown) => Number.isSafeInteger(index) && (index as number) >= 0;
    if (typeof layer !== 'string' || !isIndex(call) || !isIndex(tensor))
      throwTypeError(who, 'inputs [layer, node, tensor]', reference);
    return { layer, call: call as number };
  });
}

function checkReferences(who: string, references: readonly Reference[], counts: ReadonlyMap<string, number>) {
  for (const { layer, call } of references) {
    const count = counts.get(layer);
    if (count === undefined) throw new Error(`${who} needs layer ${show(layer)}, which does not exist`);
    if (call >= count)
      throw new Error(`${who} needs node ${call} of layer ${show(layer)}, which has only ${count}`);
  }
}

/** Checks that all calls can be made in turn, as tfjs does, each once its inputs are available, and counts them. */
function checkOrder(what: string, calls: readonly Call[], made: Map<string, number>): void {
  const isThere = ({ layer, call }: Reference) => call < (made.get(layer) as number);
  let waiting = calls;
  while (waiting.length > 0) {
    const left = waiting.filter(({ layer, inputs }) => {
      const isReady = inputs.every(isThere);
      if (isReady) addCall(made, layer);
      return !isReady;
    });
    if (left.length === waiting.length) {
      // Following each call to one that it waits for, as many times as there are calls, ends in a cycle.
      const { layer } = left.reduce((present) => {
        const missing = present.inputs.find((input) => !isThere(input)) as Reference;
        return left.find((call) => call.layer === missing.layer) as Call;
      }, left[0] as Call);
      throw new Error(`${what}: layer ${show(layer)} needs its own output`);
    }
    waiting = left;
  }
}
