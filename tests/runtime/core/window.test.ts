import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { getMask, type MaskType, type Shift, windowOf } from '../../../src/runtime/core/declared-window';
import {
  firstSeeing,
  flipped,
  isSameWindow,
  type KernelWindow,
  maskOf,
  offsetOfTap,
  presentColumns,
  seesBelow,
  usedRows,
  visibilityAt,
  windowAround,
} from '../../../src/runtime/core/window';
import golden from '../../golden/masks.json';
import { forAll } from '../../support/runs';

describe('getMask', () => {
  it('equals the blog in every golden case', () => {
    for (const { kernel_size, features_in, features_out, mode, mask } of golden.cases) {
      const { shape, values } = getMask({
        kernelSize: kernel_size as [number, number], featuresIn: features_in, featuresOut: features_out, maskType: mode as MaskType,
      }); // biome-ignore format: in few lines
      expect(shape).toEqual(mask.shape);
      expect(Array.from(values)).toEqual(mask.data);
    }
  });

  it('takes mask B and three channels by default, and one number for a square', () => {
    expect(getMask({ kernelSize: 3, featuresIn: 6, featuresOut: 3 })).toEqual(
      getMask({ kernelSize: [3, 3], featuresIn: 6, featuresOut: 3, maskType: 'B', imageChannels: 3 }),
    );
  });

  it('names invalid arguments', () => {
    const args = { kernelSize: 3, featuresIn: 6, featuresOut: 6 };
    const wrong: [object, string][] = [
      [{ kernelSize: 4 }, 'kernelSize: wanted an odd integer'],
      [{ featuresIn: 4 }, 'featuresIn: wanted a multiple'],
      [{ featuresOut: 5 }, 'featuresOut'],
      [{ vertical: 1 }, 'vertical: wanted true or false, got 1'],
      [{ imageChannels: 0 }, 'imageChannels'],
      ...['a', 'b', 'C'].map((maskType): [object, string] => [{ maskType }, "maskType: wanted 'A' or 'B'"]),
    ];
    for (const [given, message] of wrong) expect(() => getMask({ ...args, ...given })).toThrow(`getMask: ${message}`);
  });
});

const windows: fc.Arbitrary<KernelWindow> = fc
  .record({
    kernelSize: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
    place: fc.tuple(fc.nat(), fc.nat()),
    present: fc.constantFrom<KernelWindow['present']>('nothing', 'A', 'B', 'everything'),
    imageChannels: fc.integer({ min: 1, max: 4 }),
    stride: fc.constantFrom(1, 2),
    transposed: fc.boolean(),
  })
  .map(({ place: [row, column], ...window }) => ({
    ...window,
    anchor: [row % window.kernelSize[0], column % window.kernelSize[1]] as const,
  }));

/** Taps of a window, each with its place in the kernel. */
const tapsOf = ({ kernelSize: [rows, columns] }: KernelWindow): [row: number, column: number][] =>
  Array.from({ length: rows * columns }, (_, tap) => [Math.floor(tap / columns), tap % columns]);

/**
 * Whether an output may see an input so many rows below and columns to the right of it: before it in the order
 * rows, columns, channels, or the very same with mask B.
 */
function maySee({ present }: KernelWindow, [down, right]: [number, number], input: number, output: number): boolean {
  if (present === 'nothing') return down < 0;
  if (present === 'everything') return down <= 0;
  const [order] = [down, right, input - output].filter((difference) => difference !== 0);
  return order === undefined ? present === 'B' : order < 0;
}

describe('a window', () => {
  it('hides from a place what does not come before it', () =>
    forAll([windows], { numRuns: 40, seed: 1 }, (window) => {
      const channels = Array.from({ length: window.imageChannels }, (_, channel) => channel);
      for (const [row, column] of tapsOf(window)) {
        const sight = visibilityAt(window, row, column);
        const numChannels = channels.length;
        const offset = offsetOfTap(window, row, column);
        for (const input of channels) {
          const first = firstSeeing(window, sight, input, numChannels, numChannels);
          for (const output of channels) expect(output >= first).toBe(maySee(window, offset, input, output));
        }
      }
    }));

  it('has a mask of zeros and ones by that rule, for any number of features a channel', () => {
    const features = fc.integer({ min: 1, max: 3 });
    forAll([windows, features, features], { numRuns: 40, seed: 1 }, (window, groupIn, groupOut) => {
      const { imageChannels } = window;
      const [featuresIn, featuresOut] = [groupIn * imageChannels, groupOut * imageChannels];
      const wanted = tapsOf(window).flatMap(([row, column]) => {
        const offset = offsetOfTap(window, row, column);
        return Array.from({ length: featuresIn * featuresOut }, (_, pair) => {
          const input = Math.floor(Math.floor(pair / featuresOut) / groupIn);
          const output = Math.floor((pair % featuresOut) / groupOut);
          return maySee(window, offset, input, output) ? 1 : 0;
        });
      });
      expect(Array.from(maskOf(window, featuresIn, featuresOut))).toEqual(wanted);
    });
  });

  it('uses so many rows of its kernel, and columns of the row that lies on its own place', () =>
    forAll([windows], { numRuns: 40, seed: 1 }, (window) => {
      const rows = tapsOf(window).filter(([row]) => offsetOfTap(window, row, 0)[0] <= 0);
      expect(usedRows(window)).toBe(1 + Math.max(...rows.map(([row]) => row)));
      const columns = tapsOf(window)
        .filter(([row, column]) => row === window.anchor[0] && visibilityAt(window, row, column) !== 'nothing')
        .map(([, column]) => column + 1);
      expect(presentColumns(window)).toBe(Math.max(0, ...columns));
    }));

  it('lies around its middle tap, and has the mask of its arguments', () => {
    const around = windowAround([5, 3], 'A', 2);
    expect(around).toEqual({ kernelSize: [5, 3], anchor: [2, 1], present: 'A', imageChannels: 2, stride: 1, transposed: false });
    expect(windowOf({ kernelSize: [5, 3], maskType: 'A', imageChannels: 2 })).toEqual(around);
    expect(windowOf({ kernelSize: 3 })).toEqual(windowAround([3, 3], 'B', 3));
    expect(windowOf({ kernelSize: 3, maskType: 'A', vertical: true }).present).toBe('nothing');
    expect(windowOf({ kernelSize: 3, maskType: 'B', vertical: true }).present).toBe('everything');
    expect(() => windowOf({ kernelSize: 4 })).toThrow('kernelSize: wanted an odd integer');
    for (const name of ['stride', 'transposed', 'shfit'])
      expect(() => windowOf({ kernelSize: 3, [name]: 2 })).toThrow(`windowOf: unknown option '${name}'`);
  });
});

describe('a shifted window', () => {
  it('lies on the rows above and the current one, transposed on as many places as write there', () => {
    const window = (args: object) => windowOf({ kernelSize: [2, 3], shift: 'down', ...args });
    const plain = { kernelSize: [2, 3], present: 'everything', imageChannels: 1, stride: 1, transposed: false };
    expect(window({})).toEqual({ ...plain, anchor: [1, 1] });
    expect(window({ shift: 'downRight' })).toEqual({ ...plain, anchor: [1, 2] });
    expect(window({ stride: 2 })).toEqual({ ...plain, stride: 2, anchor: [1, 1] });
    const up = { ...plain, stride: 2, transposed: true };
    expect(window({ stride: 2, transposed: true })).toEqual({ ...up, anchor: [0, 1] });
    expect(window({ shift: 'downRight', stride: 2, transposed: true })).toEqual({ ...up, anchor: [0, 0] });
    expect(windowOf({ kernelSize: 4, shift: 'down' }).anchor).toEqual([3, 1]); // one more to the right
    expect(windowOf({ kernelSize: 1, shift: 'downRight' }).anchor).toEqual([0, 0]);
  });

  const shifted = fc.record({
    kernelSize: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
    shift: fc.constantFrom<Shift>('down', 'downRight'), stride: fc.constantFrom<1 | 2>(1, 2), transposed: fc.boolean(),
  }); // biome-ignore format: in few lines

  it('turned round sees the same, tap by tap from the other end', () =>
    forAll([shifted], { numRuns: 40, seed: 1 }, (args) => {
      const window = windowOf(args);
      const turned = flipped(window);
      expect(turned).toMatchObject({ stride: 1, transposed: !args.transposed });
      const [rows, columns] = args.kernelSize;
      for (const [row, column] of tapsOf(window)) {
        const offset = offsetOfTap(turned, rows - 1 - row, columns - 1 - column);
        expect(offset.map((x) => x + 0)).toEqual(offsetOfTap(window, row, column).map((x) => x + 0)); // -0 is 0
      }
    }));

  it("shifted 'excludesCentre' sees what lies before its pixel, and not the pixel", () => {
    const seen = (kernelSize: number | [number, number]) => {
      const window = windowOf({ kernelSize, shift: 'excludesCentre' });
      return tapsOf(window)
        .filter(([row, column]) => visibilityAt(window, row, column) !== 'nothing')
        .map(([row, column]) => offsetOfTap(window, row, column).map((x) => x + 0)); // -0 is 0
    };
    expect(seen(3)).toEqual([[-2, -1], [-2, 0], [-2, 1], [-1, -1], [-1, 0], [-1, 1], [0, -1]]); // biome-ignore format: rows
    expect(seen([1, 4])).toEqual([[0, -1]]);
    expect(seen(1)).toEqual([]);
  });

  it("shifted 'same' sees all sides of its pixel", () => {
    const window = windowOf({ kernelSize: [3, 5], shift: 'same' });
    expect(seesBelow(window)).toBe(true);
    expect([usedRows(window), presentColumns(window)]).toEqual([3, 5]);
    for (const [row, column] of tapsOf(window)) {
      expect(offsetOfTap(window, row, column)).toEqual([row - 1, column - 2]);
      expect(visibilityAt(window, row, column)).toBe('everything');
    }
    expect(seesBelow(windowOf({ kernelSize: 2, shift: 'excludesCentre' }))).toBe(false);
  });

  it('is named where it is wrong', () => {
    expect(() => windowOf({ kernelSize: 2, shift: 'same' })).toThrow('windowOf: kernelSize: wanted an odd integer');
    for (const shift of ['excludesCentre', 'same'] as const) {
      const message = `windowOf: stride: wanted 1, and not transposed, with shift '${shift}'`;
      expect(() => windowOf({ kernelSize: 3, shift, stride: 2 })).toThrow(`${message}, got 2`);
      expect(() => windowOf({ kernelSize: 3, shift, transposed: true })).toThrow(message);
    }
    const wrong = (args: object) => () => windowOf({ kernelSize: 2, shift: 'down', ...args });
    expect(wrong({ shift: 'left' })).toThrow("windowOf: shift: wanted 'down' or 'downRight' or 'excludesCentre' or 'same', got 'left'");
    expect(wrong({ stride: 4 })).toThrow('windowOf: stride: wanted 1 or 2, got 4');
    expect(wrong({ transposed: 1 })).toThrow('windowOf: transposed: wanted true or false, got 1');
    for (const kernelSize of [0, 1.5, [2], [2, 2, 2], '2', undefined])
      expect(wrong({ kernelSize })).toThrow('windowOf: kernelSize: wanted a positive integer or two of them');
    expect(wrong({ maskType: 'A' })).toThrow("windowOf: unknown option 'maskType'");
    for (const none of [undefined, null, 3, [2, 2]]) expect(() => windowOf(none as never)).toThrow('windowOf: wanted an object');
  });
});

it('compares windows by value', () => {
  const window = windowAround([3, 3], 'A', 1);
  expect(isSameWindow(window, window)).toBe(true);
  expect(isSameWindow(window, windowAround([3, 3], 'A', 1))).toBe(true);
  expect(isSameWindow(window, windowAround([3, 3], 'B', 1))).toBe(false);
});

it('keeps all that a caller may read of it', () => {
  expect(windowOf({ kernelSize: 3, shift: 'excludesCentre' })).toMatchObject({ present: 'A', anchor: [2, 1] });
  expect(flipped(windowOf({ kernelSize: [2, 3], shift: 'down' })).kernelSize).toEqual([2, 3]);
});
