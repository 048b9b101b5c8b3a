import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { indexOfPlace, type Place, placeOf, valuesOf } from '../../../src/runtime/core/images';
import { uniformsOf } from '../../../src/runtime/core/random';
import { windowAround } from '../../../src/runtime/core/window';
import { type Features, nodeOf, ProgramBuilder } from '../../../src/runtime/program/builder';
import type { PortableModel } from '../../../src/runtime/program/program';
import { reach } from '../../../src/runtime/program/reach';
import { weightOf } from '../../support/models/program';
import { LEVELS, randomProgram, recipes } from '../../support/models/random-program';
import { forAll } from '../../support/runs';
import { type SlowMap, slowly, slowMap, valueAt } from '../../support/slow/program';

/** What the logits at a place move with, of a program evaluated by its definition. */
function movingSlowly(model: PortableModel, [row, column, channel]: Place): Uint8Array {
  const [height, width, channels] = model.imageShape as Place;
  const level = uniformsOf('1');
  const draw = () => Math.floor(LEVELS * level()) / (LEVELS - 1);
  const conditions = [slowMap([1, 1, 2], level, true), slowMap([height, width, 1], level)];
  const outputs = (image: SlowMap) => {
    const map = slowly(model, { image, conditions })[model.output] as SlowMap;
    return Array.from({ length: LEVELS }, (_, i) => valueAt(map, row, column, channel * LEVELS + i));
  };
  const moves = new Uint8Array(height * width * channels);
  for (let trial = 0; trial < 2; trial++) {
    const image = slowMap([height, width, channels], draw);
    const before = outputs(image);
    for (let value = 0; value < moves.length; value++) {
      const changed = image.values.slice();
      changed[value] = ((changed[value] as number) + (trial + 1) / 2) % 1.5; // another level
      if (outputs({ ...image, values: changed }).some((output, i) => output !== before[i])) moves[value] = 1;
    }
  }
  return moves;
}

/** What is seen at a place, by features of one operation on the image. */
function seenBy(
  imageShape: Place,
  operation: (ops: ProgramBuilder['ops'], image: Features) => Features,
  place: Place,
  ...features: number[]
): Uint8Array {
  const program = new ProgramBuilder();
  const output = nodeOf(operation(program.ops, program.image(imageShape[2])));
  return reach({ nodes: program.nodes, output, conditions: [] }, imageShape)(place, (output) => features.includes(output));
}

describe('reach', () => {
  it('is what moves the logits of a program of several resolutions', () =>
    forAll([recipes, fc.nat()], { numRuns: 15, seed: 1 }, (recipe, at) => {
      const model = randomProgram({ ...recipe, size: [1, 2] }, true);
      const imageShape = model.imageShape as Place;
      const place = placeOf(at % valuesOf(imageShape), imageShape);
      const isRead = (output: number) => Math.floor(output / LEVELS) === place[2];
      const seen = reach(model, imageShape)(place, isRead);
      expect(seen).toEqual(movingSlowly(model, place));
      const ownRow = reach(model, imageShape)(place, isRead, place[0]);
      const start = indexOfPlace([place[0], 0, 0], imageShape);
      expect(ownRow).toEqual(seen.fill(0, 0, start));
    }));

  it('refuses an image that the resolutions do not divide', () => {
    const window = { ...windowAround([1, 1], 'B', 1), stride: 2 };
    const strided = () => seenBy([2, 3, 1], (ops, image) => ops.conv(image, weightOf([1, 1, 1, 1]), null, window), [0, 0, 0], 0);
    expect(strided).toThrow('imageShape: wanted height and width that are multiples of 2, got [2, 3, 1]');
  });

  it.each([
    [0, false, ['0000', '0000', '0000', '0000']], // zeros
    [1, false, ['0100', '0000', '0000', '0000']], // the one value, whatever query and key are
    [2, false, ['1100', '1100', '1100', '0000']], // keys of its head, and its query
    [3, false, ['1100', '1100', '1100', '1100']],
    [0, true, ['0100', '0000', '0000', '0000']], // its own value, whatever query and key are
    [1, true, ['1100', '1100', '0000', '0000']],
  ])('of attention is the query, and keys and values of its head at all earlier places: place %i, own: %s', (place, own, expected) => {
    const at: Place = [Math.floor(place / 2), place % 2, 1];
    const seen = seenBy([2, 2, 4], (ops, x) => ops.attend(x, x, x, 2, { own }), at, 1); // feature 1, of the first head
    const pixels = [0, 4, 8, 12].map((start) => seen.subarray(start, start + 4).join(''));
    expect(pixels).toEqual(expected);
  });

  const before: [number, string][] = [[0, '000000'], [2, '100000'], [3, '010000'], [4, '001000'], [5, '000100']]; // biome-ignore format: pairs
  it.each(before)('of two shifts in row order is the place before the previous one: place %i', (place, expected) => {
    const at: Place = [Math.floor(place / 3), place % 3, 0];
    const twice = (ops: ProgramBuilder['ops'], x: Features) => ops.rasterShift(ops.rasterShift(x, weightOf([1])), weightOf([1]));
    expect(seenBy([2, 3, 1], twice, at, 0).join('')).toBe(expected);
  });

  it.each([
    // Of feature 1, the second of two groups: o, f, i and g are gates 4 to 7. f counts where there was a cell before.
    ['rows', [1, 3], [0, 1], ['00000000 00001011 00000000', '00000000 00000000 00000000']],
    ['rows', [1, 3], [1, 0], ['10111011 10111011 00000000', '00001111 00000000 00000000']],
    ['rows', [1, 1], [1, 1], ['00000000 10111011 00000000', '00000000 00001111 00000000']],
    ['fromLeft', [2, 1], [0, 0], ['00001011 00000000 00000000', '00000000 00000000 00000000']],
    ['fromLeft', [2, 1], [0, 1], ['10111011 00001111 00000000', '00000000 00000000 00000000']],
    ['fromLeft', [2, 1], [1, 1], ['10111011 11111111 00000000', '10111011 00001111 00000000']],
    ['fromRight', [2, 1], [0, 2], ['00000000 00000000 00001011', '00000000 00000000 00000000']],
    ['fromRight', [2, 1], [1, 1], ['00000000 11111111 10111011', '00000000 00001111 10111011']],
  ] as const)(
    'of an LSTM is its own gates, and those of all states that come to it: %s, kernel %j, at %j',
    (path, kernelSize, [row, column], expected) => {
      const kernel = weightOf([...kernelSize, 2, 8]);
      const seen = seenBy([2, 3, 8], (ops, x) => ops.lstm(x, kernel, path, 2), [row, column, 0], 1);
      const rows = [0, 24].map((start) => [0, 8, 16].map((at) => seen.subarray(start + at, start + at + 8).join('')).join(' '));
      expect(rows).toEqual(expected);
    },
  );

  it.each([[1, [1, 1, 1, 1]], [2, [1, 1, 0, 0]], [4, [0, 1, 0, 0]]])('of normalized features is their whole group, one of %i', (groups, expected) => {
    const seen = seenBy([1, 1, 4], (ops, x) => ops.normalize(x, { epsilon: 1, groups }), [0, 0, 1], 1);
    expect(Array.from(seen)).toEqual(expected);
  }); // biome-ignore format: one line

  it.each([[1, '01010000'], [2, '00001010']])('of feature %i of a gate are the two numbers in its group that it is made of', (feature, expected) => {
    for (const kind of ['tanh', 'linear'] as const) {
      const seen = seenBy([1, 1, 8], (ops, x) => ops.gate(x, 2, undefined, kind), [0, 0, 0], feature);
      expect(seen.join('')).toBe(expected);
    }
  }); // biome-ignore format: one line

  it('of levels as one-hot vectors, or rows of a table, is the number that they are of', () => {
    const hot = seenBy([1, 1, 3], (ops, x) => ops.oneHotLevels(x, 2), [0, 0, 1], 2, 3);
    const embedded = seenBy([1, 1, 3], (ops, x) => ops.embedLevels(x, weightOf([9, 2])), [0, 0, 1], 2, 3);
    expect([hot, embedded].map((seen) => seen.join(''))).toEqual(['010', '010']);
  });
});
