// What the names and the order of tensors say of which weights they are.

/** The most letters of a name that are compared. */
const MOST_LETTERS = 200;

/** What PyTorch and Keras call what is called otherwise here. */
const WORDS = [
  [/\bweight$/, 'kernel'],
  [/\brunning_mean$/, 'moving_mean'],
  [/\brunning_var$/, 'moving_variance'],
];

/** The name of what a tensor or a weight belongs to. */
export const moduleOf = (name) => name.replace(/[^./]*$/, '');

/** A name in our words, in small letters, all parts of it separated by dots. */
const plain = (name) =>
  WORDS.reduce((old, [pattern, word]) => old.replace(pattern, word), name.slice(-MOST_LETTERS))
    .replace(/([a-z])([A-Z])/g, '$1.$2')
    .toLowerCase()
    .replace(/[^a-z\d]+/g, '.');

/** Whether a tensor is called as a weight, but for what stands before it. */
export const isSameName = (name, weight) => `.${plain(name)}`.endsWith(`.${plain(weight)}`);

/** Orders names by letters, but numbers by their size: 10 comes after 2. */
const byNumbers = new Intl.Collator('en', { numeric: true }).compare;

/**
 * The names of tensors in the order of the program that wrote them: that of the file, but where this is the order of
 * letters, that of their numbers.
 *
 * @param {ReadonlyMap<string, { dtype: string }>} tensors
 * @returns {string[]}
 */
export function inProgramOrder(tensors) {
  const names = [...tensors.keys()];
  return isOfProgram(tensors) ? names : names.sort(byNumbers);
}

/** Whether a file is neither in the order of letters, which may begin again with each type, nor lists 10 before 2. */
function isOfProgram(tensors) {
  const all = [...tensors];
  const isByLetters = all.every(
    ([name, { dtype }], i) => i === 0 || all[i - 1][1].dtype !== dtype || all[i - 1][0] < name,
  );
  const similar = [...grouped([...tensors.keys()], withoutNumbers).values()];
  return !isByLetters && similar.every((names) => String(names) === String(names.toSorted(byNumbers)));
}

const withoutNumbers = (name) => name.replace(/\d+/g, '#');

/**
 * Names with what is compared of them: their words; `index`, the place among the `count` of their shape; `rank`, the place
 * by numbers among those that differ only in numbers, and whether these are all of the shape, `isAlone`; and whether the
 * file is in the order of its program, not of letters.
 *
 * @param {string[]} names in the order of their program
 * @param {ReadonlyMap<string, { dtype: string, shape: readonly number[] }>} tensors
 */
export function ranked(names, tensors) {
  const shapeOf = (name) => String(tensors.get(name).shape);
  const patternOf = (name) => `${shapeOf(name)} ${withoutNumbers(name)}`;
  const ofShape = grouped(names, shapeOf);
  const ofPattern = grouped(names.toSorted(byNumbers), patternOf);
  const isInOrder = isOfProgram(tensors);
  return names.map((name) => {
    const [alike, similar] = [ofShape.get(shapeOf(name)), ofPattern.get(patternOf(name))];
    const words = plain(name).split(/[\d.]+/).filter((word) => word !== ''); // biome-ignore format: one line
    return {
      name,
      words: new Set(words),
      letters: pairsOfLetters(words.join(' ')),
      index: alike.indexOf(name),
      count: alike.length,
      rank: similar.indexOf(name),
      isInOrder,
      isAlone: similar.length === alike.length,
    };
  });
}

/** Names by what a function returns for them, in their order. */
function grouped(names, keyOf) {
  const groups = new Map();
  for (const name of names) groups.set(keyOf(name), [...(groups.get(keyOf(name)) ?? []), name]);
  return groups;
}

/** The pairs of neighbouring letters in a text. */
const pairsOfLetters = (text) => new Set(Array.from(text, (_, i) => text.slice(i, i + 2)));

/**
 * How likely a tensor is a weight, by what {@link ranked} gives. Words that are the same count most, then the order, then
 * letters. Numbers count only where the whole name is the same, since programs count from other numbers on.
 */
export function alike(theirs, ours) {
  const isOrdered = theirs.isInOrder || (theirs.isAlone && !ours.isAlone);
  const isByIndex = isOrdered && theirs.count === ours.count;
  const isInPlace = isByIndex ? theirs.index === ours.index : theirs.rank === ours.rank;
  return (
    (isSameName(theirs.name, ours.name) ? 2 : 0) +
    2 * shared(theirs.words, ours.words) +
    (isInPlace ? 0.5 : 0) +
    0.3 * shared(theirs.letters, ours.letters) -
    Math.abs(theirs.index - ours.index) / (10 * Math.max(theirs.count, ours.count))
  );
}

/** Dice's coefficient of two sets: the share of their members that is in both. */
function shared(a, b) {
  let both = 0;
  for (const member of a) if (b.has(member)) both += 1;
  return (2 * both) / Math.max(1, a.size + b.size);
}
