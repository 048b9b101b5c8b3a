/** A run of the same level, from three on, is written as one and a letter for how many more: A for two, Z for 27. */
const RUN = /(.)\1{2,27}/g;
const FIRST = 'A'.charCodeAt(0) - 2;

/**
 * Levels as a short text for an address.
 *
 * @param {number[]} values below 36
 */
export function textOfLevels(values) {
  const text = values.map((value) => value.toString(36)).join('');
  return text.replace(RUN, (run, digit) => digit + String.fromCharCode(FIRST + run.length - 1));
}

/**
 * The levels that a text holds.
 *
 * @param {string} text
 * @param {{ levels: number, size: number }} limits
 * @returns {number[] | null} null where it holds none: another sign, a level too many, more values than an image has
 */
export function levelsOfText(text, { levels, size }) {
  if (!/^(?:[0-9a-z][A-Z]?)*$/.test(text) || text.length > size) return null;
  const whole = text.replace(/(.)([A-Z])/g, (_, digit, letter) =>
    digit.repeat(letter.charCodeAt(0) - FIRST + 1),
  );
  const values = [...whole].map((digit) => Number.parseInt(digit, 36));
  return values.length <= size && values.every((value) => value < levels) ? values : null;
}
