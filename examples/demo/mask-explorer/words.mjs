const NUMBERS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

/** 'one row', 'two rows', '12 rows' */
export function counted(n, noun) {
  return `${NUMBERS[n] ?? n} ${noun}${n === 1 ? '' : 's'}`;
}

/** 'a', 'a and b', 'a, b and c' */
export function listed(words) {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

export function capitalized(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
