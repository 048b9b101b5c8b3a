import { describe, expect, it } from 'vitest';
import type { ImageShape } from '../../../src/runtime/core/images';
import { orientationsOf, oriented, type Symmetry } from '../../../src/runtime/core/symmetries';
import { TO_DRAW } from '../../../src/runtime/distributions/levels';

const names: Symmetry[] = ['flipRows', 'flipColumns', 'transpose', 'flipLevels'];
/** All lists of them, each once. */
const lists = Array.from({ length: 15 }, (_, i) => names.filter((_, bit) => (i + 1) & (1 << bit)));

/** What an element does to a square image whose values differ, of so many levels. */
const LEVELS = 40;
const SHAPE: ImageShape = [3, 3, 2];
const image = Int32Array.from({ length: 18 }, (_, i) => i);
const moved = (element: number, levels = image) => oriented(levels, SHAPE, LEVELS, [element], [0]);

describe.each(lists)('the group of %s %s %s %s', (...list) => {
  const symmetries = list.filter(Boolean);
  const elements = orientationsOf(symmetries);
  const images = elements.map((element) => String(moved(element)));

  it('has its generators and what they generate, and no more', () => {
    const generators = symmetries.map((one) => orientationsOf([one])[1] as number);
    // By composing generators until nothing is new.
    const found = new Map([[String(image), image]]);
    for (const one of found.values())
      for (const generator of generators) {
        const next = moved(generator, one);
        found.set(String(next), next);
      }
    expect(new Set(images)).toEqual(new Set(found.keys()));
    expect(elements.length).toBe(found.size);
    const flips = symmetries.filter((one) => one.startsWith('flip') && one !== 'flipLevels').length;
    const isSquare = symmetries.includes('transpose');
    const ofPlaces = isSquare ? (flips > 0 ? 8 : 2) : 2 ** flips;
    expect(found.size).toBe(ofPlaces * (symmetries.includes('flipLevels') ? 2 : 1));
  });

  it('is closed, begins with the identity, and undoes each element', () => {
    expect(images[0]).toBe(String(image));
    const known = new Set(images);
    const composed = elements.flatMap((a) => elements.map((b) => String(moved(a, moved(b)))));
    expect(composed.every((one) => known.has(one))).toBe(true);
    for (const a of elements) expect(oriented(moved(a), SHAPE, LEVELS, [a], [0], true)).toEqual(image);
  });

  it('does not depend on order and repetitions of the list', () => {
    expect(orientationsOf([...symmetries, ...symmetries].reverse())).toEqual(elements);
  });
});

it('the four elements of both flips are the first of the eight', () => {
  const square = orientationsOf(['flipRows', 'transpose']);
  expect(square.slice(0, 4)).toEqual(orientationsOf(['flipRows', 'flipColumns']));
  expect(orientationsOf(['flipLevels', 'flipRows', 'transpose']).slice(0, 8)).toEqual(square);
});

describe('oriented', () => {
  it.each<[Symmetry, number[]]>([
    ['flipRows', [3, 4, 5, 0, 1, 2]],
    ['flipColumns', [2, 1, 0, 5, 4, 3]],
    ['flipLevels', [6, 5, 4, 3, 2, 1]],
  ])('%s of 2 rows of 3', (symmetry, wanted) => {
    const levels = Uint8Array.of(0, 1, 2, 3, 4, 5);
    expect(oriented(levels, [2, 3, 1], 7, orientationsOf([symmetry]), [1])).toEqual(Uint8Array.from(wanted));
  });

  it('transposes first: then to flip rows turns rows and columns', () => {
    // [[0, 1], [2, 3]] is transposed [[0, 2], [1, 3]], and with its rows in reverse order [[1, 3], [0, 2]].
    const of = (list: Symmetry[], element: number) =>
      Array.from(oriented(Int32Array.of(0, 1, 2, 3), [2, 2, 1], 9, orientationsOf(list), [element]));
    expect(of(['transpose'], 1)).toEqual([0, 2, 1, 3]);
    expect(of(['transpose', 'flipRows'], 0b101)).toEqual([1, 3, 0, 2]);
    expect(of(['transpose', 'flipRows', 'flipLevels'], 0b1101)).toEqual([7, 5, 8, 6]);
  });

  it('keeps the channels of a pixel, the kind of array, and what it was given', () => {
    const levels = Uint16Array.of(0, 1, 2, 3, 4, 5, 6, 7);
    const got = oriented(levels, [1, 2, 2], 300, orientationsOf(['flipColumns']), [1, 0]);
    expect(got).toEqual(Uint16Array.of(2, 3, 0, 1, 4, 5, 6, 7)); // the second image is in element 0
    expect(levels[0]).toBe(0);
  });

  it('leaves levels to be drawn as they are, at their new places', () => {
    const elements = orientationsOf(['flipLevels', 'flipRows']);
    const got = oriented(Int32Array.of(TO_DRAW, 1), [2, 1, 1], 5, elements, [3]);
    expect(got).toEqual(Int32Array.of(3, TO_DRAW));
    expect(oriented(got, [2, 1, 1], 5, elements, [3], true)).toEqual(Int32Array.of(TO_DRAW, 1));
  });

  it('of images that are not square refuses to transpose them, even in elements that do not', () => {
    const transpose = () => oriented(new Uint8Array(2), [1, 2, 1], 2, orientationsOf(['transpose']), [0]);
    expect(transpose).toThrow(new TypeError("symmetries: wanted square images, for 'transpose', got [1, 2]"));
  });
});
