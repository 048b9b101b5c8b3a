/**
 * Guesses which tensors of a checkpoint are which weights of a network. A tensor must have the shape of the weight in
 * one of the layouts below, or fewer features, for which zeros can stand; among those, names decide that are alike, and
 * then the order.
 *
 * @typedef {import('pixelcnn-layers/weights').NamedTensor} NamedTensor
 * @typedef {{ name: string, weight: string, layout: string, order: number[], others: string[], isNarrower: boolean }} Guess `name` is that of
 *   the tensor; `order` as `axes` of loadWeights returns it; `others` are layouts that would fit as well
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

/** More pairs are not compared: no network that fits a machine has as many. */
const MOST_PAIRS = 1_000_000;
/** The most letters of a name that are compared. */
const MOST_LETTERS = 200;

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
  const [theirs, ours] = [placed(tensors), placed(weights)];
  const pairs = theirs.flatMap((one) =>
    ours.flatMap((other) => {
      const fitting = (isNarrower) =>
        layoutsOf(other.name, weights.get(other.name), tensors.get(one.name).shape, isNarrower);
      const exact = fitting(false);
      const isNarrower = exact.length === 0;
      const layouts = isNarrower ? fitting(true) : exact;
      if (layouts.length === 0) return [];
      return [
        {
          name: one.name,
          weight: other.name,
          layouts,
          isNarrower,
          likeness: alike(one, other) - (isNarrower ? 1 : 0),
        },
      ];
    }),
  );
  const [used, found] = [new Set(), new Map()];
  const assign = (some) => {
    for (const pair of some.sort((a, b) => b.likeness - a.likeness)) {
      if (used.has(pair.name) || found.has(pair.weight)) continue;
      used.add(pair.name);
      found.set(pair.weight, pair);
    }
  };
  // Kernels first, whose shapes tell more; then biases and the like, which belong to the modules of their kernels.
  assign(pairs.filter(({ weight }) => weights.get(weight).shape.length > 1));
  const roles = new Map(theirs.map(({ name }) => [name, roleOf(name, tensors)]));
  const isOfRole = ({ name, weight }) => weight.endsWith(`.${roles.get(name)}`);
  const layers = new Map([...found.values()].map(({ name, weight }) => [moduleOf(name), moduleOf(weight)]));
  const isOfKernel = ({ name, weight }) => layers.get(moduleOf(name)) === moduleOf(weight);
  assign(
    pairs.map((pair) => ({
      ...pair,
      likeness: pair.likeness + (isOfKernel(pair) ? 1 : 0) + (isOfRole(pair) ? 2 : 0),
    })),
  );
  const all = [...weights.keys()].flatMap((weight) => found.get(weight) ?? []);
  const from = fromOf(all, usual);
  return { from, guesses: all.map((pair) => guessOf(pair, from)) };
}

/** The name of what a tensor or a weight belongs to. */
const moduleOf = (name) => name.replace(/[^./]*$/, '');

/** What a weight or bias of a module of PyTorch's is called here, since its weight shows whether it normalizes; else undefined. */
function roleOf(name, tensors) {
  const axes = tensors.get(`${moduleOf(name)}weight`)?.shape.length;
  if (name.endsWith('.bias') && axes !== undefined) return axes === 1 ? 'beta' : 'bias';
  if (name.endsWith('.weight') && axes === 1) return 'gamma';
  return undefined;
}

/** In which layout the most kernels lie that fit one of the two alone. */
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
  if (more === 0) return usual;
  return more > 0 ? 'pytorch' : 'keras';
}

function guessOf({ name, weight, layouts, isNarrower }, from) {
  const [layout, order] = layouts.find(([one]) => EXPECTED[from].includes(one)) ?? layouts[0];
  return {
    name,
    weight,
    layout,
    order,
    others: layouts.map(([one]) => one).filter((one) => one !== layout),
    isNarrower,
  };
}

/** Whether `from` alone finds the order of a guess's axes. */
export const isExpected = ({ layout, order }, weight, from) =>
  layout === '' || (EXPECTED[from].includes(layout) && order.length === weight.shape.length);

/** Names with what is compared of them: pairs of letters, numbers, and where they are among all, from 0 to 1. */
function placed(named) {
  const names = [...named.keys()];
  const inOrder = [...names].sort(new Intl.Collator('en', { numeric: true }).compare); // files order names by letters
  const places = new Map(inOrder.map((name, i) => [name, i / Math.max(1, names.length - 1)]));
  return names.map((name) => ({
    name,
    letters: pairsOfLetters(name),
    numbers: String(name.match(/\d+/g)),
    place: places.get(name),
  }));
}

/** What PyTorch and Keras call what is called otherwise here. */
const WORDS = [
  [/\bweight$/, 'kernel'],
  [/\brunning_mean$/, 'moving_mean'],
  [/\brunning_var$/, 'moving_variance'],
];

/** The pairs of neighbouring letters in a name. */
function pairsOfLetters(name) {
  const words = WORDS.reduce(
    (old, [pattern, word]) => old.replace(pattern, word),
    name.slice(-MOST_LETTERS).toLowerCase(),
  );
  return new Set(Array.from(words, (_, i) => words.slice(i, i + 2)));
}

/** How alike two names are: Dice's coefficient of their letters, and half as much for the same numbers and the same place. */
function alike(a, b) {
  let both = 0;
  for (const pair of a.letters) if (b.letters.has(pair)) both += 1;
  const letters = (2 * both) / (a.letters.size + b.letters.size);
  return letters + (a.numbers === b.numbers ? 0.5 : 0) + (1 - Math.abs(a.place - b.place)) / 2;
}
