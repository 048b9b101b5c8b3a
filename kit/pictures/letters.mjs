/** Letters of 5x7 dots for PNGs, which have no text: five columns each, the lowest bit at the top, the eighth below the line. */
const COLUMNS = {
  ' ': '0000000000',
  '.': '0000606000',
  ',': '0080703000',
  '/': '2010080402',
  '+': '08083e0808',
  '-': '0808080808',
  0: '3e5149453e',
  1: '00427f4000',
  2: '4261514946',
  3: '2241494936',
  4: '1814127f10',
  5: '2745454539',
  6: '3e49494932',
  7: '0171090503',
  8: '3649494936',
  9: '264949493e',
  A: '7e0909097e',
  B: '7f49494936',
  G: '3e4149493a',
  R: '7f09192946',
  a: '2054545478',
  b: '7f48444438',
  c: '3844444428',
  d: '384444487f',
  e: '3854545418',
  f: '00087e0902',
  g: '18a4a4a47c',
  h: '7f08040478',
  i: '00447d4000',
  j: '4080847d00',
  k: '7f10284400',
  l: '00417f4000',
  m: '7c04780478',
  n: '7c08040478',
  o: '3844444438',
  p: 'fc24242418',
  q: '18242424fc',
  r: '7c08040408',
  s: '4854545424',
  t: '04043f4424',
  u: '3c4040207c',
  v: '1c2040201c',
  w: '3c4030403c',
  x: '4428102844',
  y: '1ca0a0a07c',
  z: '4464544c44',
};

/** The distance between letters, and their height above the line, in dots. */
export const LETTER = { width: 6, height: 7 };

/**
 * The dots of a line of text.
 *
 * @param {string} text of letters that are here
 * @returns {[x: number, y: number][]} from the upper left corner
 */
export function dotsOf(text) {
  return [...text].flatMap((letter, i) => {
    const columns = COLUMNS[letter];
    if (columns === undefined) throw new Error(`letters: none for '${letter}'`);
    return Array.from({ length: 40 }, (_, bit) => [bit >> 3, bit & 7])
      .filter(([x, y]) => (Number.parseInt(columns.slice(2 * x, 2 * x + 2), 16) >> y) & 1)
      .map(([x, y]) => [i * LETTER.width + x, y]);
  });
}
