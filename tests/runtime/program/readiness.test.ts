import { describe, expect, it } from 'vitest';
import type { ConditionShape } from '../../../src/runtime/core/conditions';
import { windowOf } from '../../../src/runtime/core/declared-window';
import { type KernelWindow, windowAround } from '../../../src/runtime/core/window';
import { type Features, nodeOf, ProgramBuilder } from '../../../src/runtime/program/builder';
import type { ImageNode } from '../../../src/runtime/program/program';
import { checkImageSize, readinessOf } from '../../../src/runtime/program/readiness';
import { AFTER_ROW, ONCE, ROW } from '../../../src/runtime/program/times';
import { programOf, weightOf } from '../../support/models/program';

const VECTOR: ConditionShape = { kind: 'vector', size: 2 };
const MAP: ConditionShape = { kind: 'map', size: 1 };

/** When the features of each node are ready. */
const timesOf = ({ nodes }: ProgramBuilder, conditions: readonly ConditionShape[] = []) =>
  readinessOf(nodes as ImageNode[], conditions).map(({ times }) => times);

const square = (side: number, featuresIn: number, featuresOut: number) => weightOf([side, side, featuresIn, featuresOut]);

it('knows when each feature is ready', () => {
  const window = (maskType: 'A' | 'B') => windowOf({ kernelSize: 3, maskType, imageChannels: 3 });
  const { program, image } = programOf(3); // channel c is known once c + 1 channels are drawn
  const a = program.ops.conv(image, square(3, 3, 6), null, window('A'));
  const b = program.ops.conv(a, square(3, 6, 3), null, window('B'));
  const leaking = program.ops.conv(image, square(3, 3, 3), null, window('B'));
  program.ops.concat(b, program.ops.pointwise('relu', leaking));
  program.ops.combine('add', b, leaking);
  program.ops.normalize(b, { epsilon: 1 });
  program.ops.standardize(b, { mean: weightOf([3]), variance: weightOf([3]), epsilon: 1 });
  program.ops.gate(a, 3);
  program.ops.normalize(a, { epsilon: 1, groups: 3 });
  program.ops.normalize(program.ops.concat(b, b), { epsilon: 1, groups: 2 });
  const mixed = program.ops.concat(b, leaking);
  program.ops.softmax('softmax', mixed, 3);
  program.ops.softmax('logSoftmax', mixed, 1);
  program.ops.slice(mixed, 2, 3);
  program.ops.oneHotLevels(mixed, 2);
  program.ops.embedLevels(image, weightOf([5, 3]));
  expect(timesOf(program)).toEqual([
    [1, 2, 3], // image
    [0, 0, 1, 1, 2, 2], // a: group g sees the channels before g
    [0, 1, 2], // b: a group sees itself
    [1, 2, 3], // leaking: a channel sees itself
    [1, 2, 3], // its relu
    [0, 1, 2, 1, 2, 3], // concat
    [1, 2, 3], // add: the later of the two
    [2, 2, 2], // normalize: each of all
    [0, 1, 2], // standardize: each of itself
    [0, 1, 2], // gate: of the two of its group
    [0, 0, 1, 1, 2, 2], // normalize in groups: each of its group
    [0, 1, 2, 0, 1, 2], // concat
    [2, 2, 2, 2, 2, 2], // normalize in groups: all wait for the last of theirs
    [0, 1, 2, 1, 2, 3], // mixed
    [1, 1, 2, 2, 3, 3], // softmax of three groups: each of its own two
    [3, 3, 3, 3, 3, 3], // of one
    [2, 1, 2], // slice
    [0, 0, 1, 1, 2, 2, 1, 1, 2, 2, 3, 3], // the two of each level with it
    [1, 1, 1, 2, 2, 2, 3, 3, 3], // rows of a table
  ]);
});

it('recognizes features that are equal at every pixel, or ready for a whole row', () => {
  const vertical = (maskType: 'A' | 'B') => windowOf({ kernelSize: 3, maskType, imageChannels: 1, vertical: true });
  const point = windowAround([1, 1], 'B', 1);
  const { program, image } = programOf(2);
  const vector = program.condition(0, 2, false);
  const projected = program.ops.conv(vector, weightOf([2, 2]), null, point);
  const map = program.condition(1, 1, true);
  const first = program.ops.conv(image, square(3, 2, 4), null, vertical('A'));
  const second = program.ops.conv(first, square(3, 4, 2), null, vertical('B'));
  program.ops.conv(image, square(3, 2, 1), null, vertical('B')); // sees what is to come
  program.ops.conv(first, square(3, 4, 1), null, windowAround([3, 3], 'B', 1));
  program.ops.combine('add', program.ops.gate(second, 1), map);
  program.ops.combine('add', second, projected);
  program.ops.combine('add', image, projected);
  program.ops.concat(vector, map, image);
  program.ops.conv(image, square(1, 2, 2), null, windowAround([1, 1], 'A', 2)); // its first output sees nothing
  expect(timesOf(program, [VECTOR, MAP])).toEqual([
    [1, 2], // image
    [ONCE, ONCE], // vector
    [ONCE, ONCE], // projected
    [ROW], // map
    [ROW, ROW, ROW, ROW], // first: rows above only
    [ROW, ROW], // second: also the row itself of what sees rows above only
    [AFTER_ROW],
    [ROW], // to the left and above
    [ROW], // gate
    [ROW], // gate and map
    [ROW, ROW], // the vector added at every pixel
    [1, 2],
    [ROW, ROW, ROW, 1, 2], // joined with what differs from pixel to pixel
    [ROW, 1],
  ]);
});

it('is ready after its row where it sees the row whole, and before the next where that is all that reads it', () => {
  const window = (present: KernelWindow['present'], columns = 3) => windowAround([3, columns], present, 1);
  const { program, image } = programOf(1);
  const whole = program.ops.conv(image, square(3, 1, 1), null, window('everything'));
  const point = program.ops.pointwise('tanh', whole);
  const wider = program.ops.conv(point, square(3, 1, 1), null, window('everything'));
  program.ops.conv(wider, square(3, 1, 1), null, window('nothing')); // rows above only
  program.ops.conv(whole, square(3, 1, 1), null, window('A')); // pixels to the left, which are not ready with them
  program.ops.conv(whole, weightOf([3, 1, 1, 1]), null, window('A', 1)); // rows above, and no channel before its own
  program.ops.concat(image, whole);
  expect(timesOf(program)).toEqual([
    [1], [AFTER_ROW], [AFTER_ROW], [AFTER_ROW], // image, whole, point and wider
    [ROW], [AFTER_ROW], [ROW], [1, AFTER_ROW], // what reads them
  ]); // biome-ignore format: four in a row
});

it('waits for the pixel to the right where a window hides channels but not pixels', () => {
  const { program, image } = programOf(1);
  // a kernel of one row, whose own place is its first column: the others lie to the right
  const window: KernelWindow = { ...windowAround([1, 3], 'everything', 1), anchor: [0, 0] };
  program.ops.conv(image, weightOf([1, 3, 1, 1]), null, window);
  expect(timesOf(program)[1]).toEqual([AFTER_ROW]);
  // and its last: they lie to the left
  program.ops.conv(image, weightOf([1, 3, 1, 1]), null, { ...window, anchor: [0, 2] });
  expect(timesOf(program)[2]).toEqual([1]);
});

it('is quick with features of a condition, after any number of steps', () => {
  const program = new ProgramBuilder();
  program.image(1);
  let x = program.condition(0, 4, false);
  for (let i = 0; i < 200; i++) x = program.ops.combine('add', x, program.ops.pointwise('relu', x));
  expect(timesOf(program, [{ kind: 'vector', size: 4 }]).at(-1)).toEqual([ONCE, ONCE, ONCE, ONCE]);
});

it('knows when attention is ready: each head with its query, and with keys and values of earlier places', () => {
  const { program, image } = programOf(2);
  const map = program.condition(0, 2, true);
  const rows = program.ops.shift(image, 1, 0);
  const left = program.ops.shift(image, 0, 1);
  const after = program.ops.conv(image, square(3, 2, 2), null, windowAround([3, 3], 'everything', 1));
  const first = nodeOf(after) + 1;
  program.ops.attend(rows, map, rows, 1); // all of rows above
  program.ops.attend(rows, rows, image, 1); // of earlier pixels, whatever they see of themselves
  program.ops.attend(left, image, rows, 1);
  program.ops.attend(image, rows, rows, 1); // of a query that sees its own pixel
  program.ops.attend(image, image, image, 2); // head by head
  program.ops.attend(program.ops.concat(rows, left), program.ops.concat(rows, image), program.ops.concat(rows, rows), 2);
  program.ops.attend(rows, after, rows, 1); // what pixels to the left see of later ones
  program.ops.attend(rows, rows, after, 1);
  program.ops.attend(program.ops.shift(after, 1, 0), program.ops.shift(after, 1, 0), rows, 2);
  const times = timesOf(program, [{ kind: 'map', size: 2 }]);
  const attended = program.nodes.flatMap(({ op }, i) => (op === 'attend' && i >= first ? [times[i]] : []));
  const late = [AFTER_ROW, AFTER_ROW];
  expect(attended).toEqual([[ROW, ROW], [0, 0], [0, 0], [2, 2], [1, 2], [ROW, ROW, 0, 0], late, late, [ROW, ROW]]); // biome-ignore format: pairs
});

it('knows when states of an LSTM are ready: with their gates, and with states of the row above or beside', () => {
  const { program, image } = programOf(2);
  const rows = program.ops.concat(...new Array<Features>(4).fill(program.ops.shift(image, 1, 0)));
  const left = program.ops.concat(...new Array<Features>(4).fill(program.ops.shift(image, 0, 1)));
  const [first, second] = [program.ops.slice(image, 0, 1), program.ops.slice(image, 1, 1)];
  const present = program.ops.concat(first, first, first, first, second, second, second, second);
  const after = program.ops.conv(image, square(3, 2, 8), null, windowAround([3, 3], 'everything', 1));
  const mixed = program.ops.concat(program.ops.slice(rows, 0, 4), program.ops.slice(present, 4, 4));
  const late = program.ops.concat(program.ops.slice(rows, 0, 4), program.ops.slice(after, 4, 4));
  const [across, beside] = [weightOf([1, 3, 2, 8]), weightOf([2, 1, 2, 8])];
  const all = [rows, left, present, after, mixed, late];
  const start = program.nodes.length;
  for (const groups of [1, 2]) for (const gates of all) program.ops.lstm(gates, across, 'rows', groups);
  for (const gates of all) program.ops.lstm(gates, beside, 'fromLeft', 2);
  for (const gates of all) program.ops.lstm(gates, beside, 'fromRight', 2);
  const never = [AFTER_ROW, AFTER_ROW];
  expect(timesOf(program).slice(start)).toEqual([
    [ROW, ROW], [0, 0], [2, 2], never, [2, 2], never, // all of its group's gates, and of the row above everything is there
    [ROW, ROW], [0, 0], [1, 2], never, [ROW, 2], [ROW, AFTER_ROW],
    [ROW, ROW], [0, 0], [1, 2], never, [0, 2], never, // from the left, known before the row where all gates are; else of the pixel there
    [ROW, ROW], never, never, never, never, never, // from the right
  ]); // biome-ignore format: the six in a row
});

it('knows when features of an earlier place are ready, and gates and ELUs of several', () => {
  const window = windowOf({ kernelSize: 3, maskType: 'B', imageChannels: 2 });
  const { program, image } = programOf(2);
  program.ops.shift(image, 1, 0);
  program.ops.shift(image, 2, 3);
  program.ops.shift(image, 0, 1);
  program.ops.shift(image, 0, 0); // the same features
  const rows = program.ops.shift(image, 1, 1);
  program.ops.shift(rows, 0, 1);
  const after = program.ops.conv(image, square(3, 2, 1), null, windowAround([3, 3], 'everything', 1));
  program.ops.shift(after, 0, 2); // not even to the left
  program.ops.shift(after, 1, 0);
  program.ops.concatElu(program.ops.concat(rows, image));
  const x = program.ops.conv(image, square(3, 2, 4), null, window);
  program.ops.gate(x, 2, undefined, 'linear');
  program.ops.gate(x, 1, undefined, 'linear');
  expect(timesOf(program)).toEqual([
    [1, 2], [ROW, ROW], [ROW, ROW], [0, 0], [1, 2], [ROW, ROW], [ROW, ROW], // shifts of the image, and of rows
    [AFTER_ROW], [AFTER_ROW], [ROW], [ROW, ROW, 1, 2], [ROW, ROW, 1, 2, ROW, ROW, 1, 2], // of what is ready after the row; ELUs
    [1, 1, 2, 2], [1, 2], [2, 2], // gates
  ]); // biome-ignore format: one kind a line
});

describe('several resolutions', () => {
  /** Of both streams of PixelCNN++: `u` sees rows above, `ul` also what is to the left. */
  const down = (present: KernelWindow['present'], columns: number): KernelWindow => {
    return { kernelSize: [2, columns], anchor: [1, 1], present, imageChannels: 1, stride: 2, transposed: false };
  };
  const up = (present: KernelWindow['present'], columns: number): KernelWindow => {
    const anchor = [0, columns === 3 ? 1 : 0] as const;
    return { kernelSize: [2, columns], anchor, present, imageChannels: 1, stride: 2, transposed: true };
  };
  const kernel = (columns: number) => weightOf([2, columns, 1, 1]);

  it('halve with each strided convolution and double with each transposed one', () => {
    const { program, image } = programOf(1);
    const u = program.ops.conv(image, square(3, 1, 1), null, windowAround([3, 3], 'nothing', 1));
    const ul = program.ops.conv(image, square(3, 1, 1), null, windowAround([3, 3], 'A', 1));
    const uHalf = program.ops.conv(u, kernel(3), null, down('everything', 3));
    const ulHalf = program.ops.conv(ul, kernel(2), null, down('B', 2));
    const both = program.ops.combine('add', uHalf, ulHalf);
    const uQuarter = program.ops.conv(program.ops.pointwise('elu', uHalf, 1), kernel(3), null, down('everything', 3));
    const ulQuarter = program.ops.conv(both, kernel(2), null, down('B', 2));
    const vector = program.condition(0, 1, false);
    program.ops.combine('add', uQuarter, vector); // what is the same at every pixel fits any resolution
    const uBack = program.ops.conv(uQuarter, kernel(3), null, up('everything', 3));
    const ulBack = program.ops.conv(ulQuarter, kernel(2), null, up('B', 2));
    program.ops.combine('add', uBack, uHalf); // a skip
    program.ops.concat(program.ops.conv(ulBack, kernel(2), null, up('B', 2)), ul);
    expect(readinessOf(program.nodes as ImageNode[], [{ kind: 'vector', size: 1 }])).toEqual([
      { scale: 1, times: [1] },
      { scale: 1, times: [ROW] }, // u
      { scale: 1, times: [0] }, // ul
      { scale: 2, times: [ROW] }, // uHalf
      { scale: 2, times: [0] }, // ulHalf
      { scale: 2, times: [0] }, // both
      { scale: 2, times: [ROW] }, // elu
      { scale: 4, times: [ROW] }, // uQuarter
      { scale: 4, times: [0] }, // ulQuarter
      { scale: 1, times: [ONCE] }, // vector
      { scale: 4, times: [ROW] }, // with the vector
      { scale: 2, times: [ROW] }, // uBack
      { scale: 2, times: [0] }, // ulBack
      { scale: 2, times: [ROW] }, // skip
      { scale: 1, times: [0] }, // ul up again
      { scale: 1, times: [0, 0] },
    ]);
  });

  it('fill images whose height and width their scales divide', () => {
    const check = (scale: number, ...shape: (number | null)[]) => {
      const nodes = [scale, 1].map((scale) => ({ scale, times: [0] }));
      return expect(() => checkImageSize('imageShape', shape as [number, number, number], nodes));
    };
    check(1, 3, 5, 1).not.toThrow();
    check(2, 2, 6, 1).not.toThrow();
    check(4, 8, 4, 3).not.toThrow();
    check(4, null, null, 1).not.toThrow();
    check(4, null, 8, 1).not.toThrow();
    check(2, 3, 2, 1).toThrow('imageShape: wanted height and width that are multiples of 2, got [3, 2, 1]');
    check(4, 4, 6, 3).toThrow('imageShape: wanted height and width that are multiples of 4, got [4, 6, 3]');
    check(4, null, 2, 1).toThrow('imageShape: wanted height and width that are multiples of 4, got [null, 2, 1]');
    check(4, 2, null, 1).toThrow('imageShape: wanted height and width that are multiples of 4, got [2, null, 1]');
  });

  it('may not meet, nor be finer than the image', () => {
    const { program, image } = programOf(1);
    const half = program.ops.conv(image, kernel(2), null, down('A', 2));
    const finer = new ProgramBuilder();
    finer.ops.conv(finer.image(1), kernel(2), null, up('A', 2));
    expect(() => readinessOf(finer.nodes as ImageNode[], [])).toThrow("node 1 (conv): its resolution is finer than the image's");
    program.ops.combine('add', half, image);
    expect(() => readinessOf(program.nodes as ImageNode[], [])).toThrow('node 2 (add): its operands have several resolutions, 2 and 1');
  });
});
