import { alike, inProgramOrder, isSameName, moduleOf, ranked } from './weight-names.mjs';

/**
 * Guesses which tensors of a checkpoint are which weights of a network. A tensor must have the shape of the weight in
 * one of the layouts below, or fewer features, for which zeros can stand. Among tensors of one shape, words decide that
 * their names share with those of weights, then the order. Biases belong to the kernels of their modules.
 *
 * @typedef {import('pixelcnn-layers/weights').NamedTensor} NamedTensor
 * @typedef {{ name: string, weight: string, layout: string, order: number[], others: string[], isNarrower: boolean, isSure: boolean }} Guess
 *   `name` is that of the tensor; `order` as `axes` of loadWeights returns it; `others` are layouts that would fit as
 *   well; `isSure` if there is no other guess: the shape, the name, or the kernel that it belongs to leaves no choice
 */

/** How a kernel [rows,columns,in,out] or [in,out] may lie in a file: the order of its axes there, without those left out. */
const LAYOUTS = {
  4: [
    ['[out,in,rows,columns]', [3, 2, 0, 1]],
    ['[rows,columns,in,out]', [0, 1, 2, 3]],
    ['[in,out,rows,columns], transposed', [2, 3, 0, 1]],
    ['[out,in]', [3, 2]],
    ['[in,out]', [2, 3]],
  ],
  2: [
    ['[out,in]', [1, 0]],
    ['[in,out]', [0, 1]],
  ],
};

/** The layouts of kernels that `from` of loadWeights expects. */
const EXPECTED = {
  pytorch: ['[out,in,rows,columns]', '[out,in]'],
  keras: ['[rows,columns,in,out]', '[in,out]'],
};

/** More than names, order and role can count for: what is narrower comes last. */
const LAST = 10;

/** More pairs are not compared: no network that fits a machine has as many. */
const MOST_PAIRS = 1_000_000;

/** The layouts in which a weight would have the shape of a tensor, or more features where `isNarrower`. */
function layoutsOf(weightName, weight, shape, isNarrower) {
  const axes = [...weight.shape.keys()];
  const isKernel = weightName.endsWith('kernel');
  const known = (isKernel && LAYOUTS[axes.length]) || [['', axes]];
  return known.filter(([, order]) => {
    const isWhole = axes.every((axis) => order.includes(axis) || weight.shape[axis] === 1);
    const fits = (axis, i) => {
      const [wanted, given] = [weight.shape[axis], shape[i]];
      return (
        given === wanted || (isNarrower && axis >= axes.length - 2 && given < wanted && 2 * given > wanted)
      );
    };
    return isWhole && order.length === shape.length && order.every(fits);
  });
}

/**
 * @param {ReadonlyMap<string, NamedTensor>} tensors those that may be weights
 * @param {ReadonlyMap<string, NamedTensor>} weights of the network, as `saveWeights` gives them
 * @param {'keras' | 'pytorch'} usual the layout of kernels that fit more than one
 * @returns {{ guesses: Guess[], from: 'keras' | 'pytorch' }} in the order of the weights
 * @throws Error where they are too many
 */
export function guessWeights(tensors, weights, usual) {
  if (tensors.size * weights.size > MOST_PAIRS)
    throw new Error(
      `wanted at most ${MOST_PAIRS} pairs of a tensor and a weight, got ${tensors.size} x ${weights.size}`,
    );
  const theirs = ranked(inProgramOrder(tensors), tensors);
  const ours = ranked([...weights.keys()], weights);
  const pairs = theirs.flatMap((one) => ours.flatMap((other) => pairOf(one, other, tensors, weights) ?? []));
  const [used, found] = [new Set(), new Map()];
  const assign = (some) => {
    for (const pair of some.sort((a, b) => b.likeness - a.likeness)) {
      if (used.has(pair.name) || found.has(pair.weight)) continue;
      used.add(pair.name);
      found.set(pair.weight, pair);
    }
  };
  // Kernels first, whose shapes tell more; then biases and the like that lie beside them; then what is left.
  assign(pairs.filter(({ weight }) => weights.get(weight).shape.length > 1));
  const roles = new Map(theirs.map(({ name }) => [name, roleOf(name, tensors)]));
  const isOfRole = ({ name, weight }) => weight.endsWith(`.${roles.get(name)}`);
  const others = pairs.map((pair) => ({ ...pair, likeness: pair.likeness + (isOfRole(pair) ? 2 : 0) }));
  const modules = new Set([...found.values()].map(modulesOf));
  assign(others.filter((pair) => moduleOf(pair.name) !== '' && modules.has(modulesOf(pair))));
  assign(others);
  const all = [...weights.keys()].flatMap((weight) => found.get(weight) ?? []);
  const { from, isSeen } = fromOf(all, usual);
  const isSure = surenessOf(pairs, all, from, isSeen);
  return { from, guesses: all.map((pair) => guessOf(pair, from, isSure(pair))) };
}

/** A tensor and a weight that it may be; null where its shape does not fit. */
function pairOf(one, other, tensors, weights) {
  const [{ name }, { name: weight }] = [one, other];
  const fitting = (isNarrower) => layoutsOf(weight, weights.get(weight), tensors.get(name).shape, isNarrower);
  const exact = fitting(false);
  const isNarrower = exact.length === 0;
  const layouts = isNarrower ? fitting(true) : exact;
  if (layouts.length === 0) return null;
  return { name, weight, layouts, isNarrower, likeness: alike(one, other) - (isNarrower ? LAST : 0) };
}

const modulesOf = ({ name, weight }) => `${moduleOf(name)} ${moduleOf(weight)}`;

/**
 * A function that tells whether a pair is sure: it has one layout, and either its shape occurs once, or its name is the
 * same, or it is the only one of its kind in a module of the same name, or beside another that is sure.
 */
function surenessOf(pairs, found, from, isSeen) {
  const exact = pairs.filter(({ isNarrower }) => !isNarrower);
  const isOnly = (key) => {
    const counts = new Map();
    for (const pair of exact) counts.set(key(pair), 1 + (counts.get(key(pair)) ?? 0));
    return (pair) => counts.get(key(pair)) === 1;
  };
  const isOnlyWeight = isOnly(({ name }) => name);
  const isOnlyTensor = isOnly(({ weight }) => weight);
  const isOnlyOfModules = isOnly((pair) => `${modulesOf(pair)} ${pair.layouts[0][1].length}`); // of as many axes
  const isSameModule = ({ name, weight }) => isSameName(moduleOf(name), moduleOf(weight));
  const isIn = (isKnown) => (pair) =>
    !pair.isNarrower &&
    (pair.layouts.length === 1 ||
      (isSeen && pair.layouts.some(([layout]) => EXPECTED[from].includes(layout)))) &&
    ((isOnlyWeight(pair) && isOnlyTensor(pair)) ||
      isSameName(pair.name, pair.weight) ||
      (isOnlyOfModules(pair) && isKnown(pair)));
  const known = new Set(found.filter(isIn(isSameModule)).map(modulesOf));
  return isIn((pair) => isSameModule(pair) || known.has(modulesOf(pair)));
}

/** What a weight or bias of a module of PyTorch's is called here, since its weight shows whether it normalizes; else undefined. */
function roleOf(name, tensors) {
  const axes = tensors.get(`${moduleOf(name)}weight`)?.shape.length;
  if (name.endsWith('.bias') && axes !== undefined) return axes === 1 ? 'beta' : 'bias';
  if (name.endsWith('.weight') && axes === 1) return 'gamma';
  return undefined;
}

/** In which layout the most kernels lie that fit one of the two alone, and whether there are such. */
function fromOf(pairs, usual) {
  const count = (from, other) =>
    pairs.filter(({ layouts }) => {
      const names = layouts.map(([name]) => name);
      return (
        names.some((name) => EXPECTED[from].includes(name)) &&
        !names.some((name) => EXPECTED[other].includes(name))
      );
    }).length;
  const more = count('pytorch', 'keras') - count('keras', 'pytorch');
  if (more === 0) return { from: usual, isSeen: false };
  return { from: more > 0 ? 'pytorch' : 'keras', isSeen: true };
}

function guessOf({ name, weight, layouts, isNarrower }, from, isSure) {
  const [layout, order] = layouts.find(([one]) => EXPECTED[from].includes(one)) ?? layouts[0];
  return {
    name,
    weight,
    layout,
    order,
    others: layouts.map(([one]) => one).filter((one) => one !== layout),
    isNarrower,
    isSure,
  };
}

/** Whether `from` alone finds the order of a guess's axes. */
export const isExpected = ({ layout, order }, weight, from) =>
  layout === '' || (EXPECTED[from].includes(layout) && order.length === weight.shape.length);
