import { describe, expect, it } from 'vitest';
import { adjustment } from '../../../../src/runtime/sampling/changes/adjust';
import type { Change, NextValue } from '../../../../src/runtime/sampling/changes/change';
import { guide } from '../../../../src/runtime/sampling/changes/guidance';
import { temperature } from '../../../../src/runtime/sampling/changes/temperature';
import { topK } from '../../../../src/runtime/sampling/changes/top-k';
import { topP } from '../../../../src/runtime/sampling/changes/top-p';

const NONE = -Infinity;
const next: NextValue = {
  place: [0, 1, 0],
  current: { outputs: new Float32Array(0), channel: 0, levels: new Int32Array(0) },
  levelsSoFar: Int32Array.of(5, 0, 6, 0),
};

/** Log-probabilities of all images, after a change. */
function changed(change: Change, ...images: readonly number[][]): number[] {
  const logProbs = Float64Array.from(images.flat());
  change(logProbs, next);
  return [...logProbs];
}
const logs = (...probabilities: number[]) => probabilities.map(Math.log);

describe('temperature', () => {
  it('divides differences of log p, of each image by itself', () => {
    expect(changed(temperature(3, 0.5), [-2, -1, NONE], [-7, -5, -4])).toEqual([-2, 0, NONE, -6, -2, 0]);
    expect(changed(temperature(2, 4), [-9, -1])).toEqual([-2, 0]);
  });

  it('leaves the most likely level at 0, the lowest on a tie', () => {
    for (const degrees of [0, 1e-310])
      expect(changed(temperature(3, degrees), [-2, -1, -1], [-3, -4, -5])).toEqual([NONE, 0, NONE, 0, NONE, NONE]);
  });
});

it('topK keeps the most likely levels, of equal ones the lowest, of each image', () => {
  expect(changed(topK(4, 2), [-1, -3, -2, -4], [-3, -1, -1, -1])).toEqual([-1, NONE, -2, NONE, NONE, -1, -1, NONE]);
  expect(changed(topK(4, 3), [-1, -2, -2, -2])).toEqual([-1, -2, -2, NONE]);
  expect(changed(topK(3, 2), [NONE, -800, NONE])).toEqual([NONE, -800, NONE]);
});

describe('topP', () => {
  it('keeps the fewest levels that reach the probability, of equal ones the lowest', () => {
    const quarters = logs(0.25, 0.25, 0.25, 0.25);
    const some = (kept: number) => quarters.map((nats, level) => (level < kept ? nats : NONE));
    expect(changed(topP(4, 0.25), quarters)).toEqual(some(1));
    expect(changed(topP(4, 0.26), quarters, quarters)).toEqual([...some(2), ...some(2)]);
    expect(changed(topP(4, 0.99), quarters)).toEqual(quarters);
    const [a, b, c] = logs(0.125, 0.5, 0.375) as [number, number, number];
    expect(changed(topP(3, 0.5), [a, b, c])).toEqual([NONE, b, NONE]);
    expect(changed(topP(3, 0.6), [a, b, c])).toEqual([NONE, b, c]);
  });

  it('counts what remains, which need not be normalized', () => {
    // Three of 6/16, one of 5/16: of what remains, the first two make 12/23 = 0.52 and the first three 18/23 = 0.78.
    const nats = [...logs(6, 5, 6, 6), NONE];
    expect(changed(topP(5, 0.52), nats)).toEqual([nats[0], NONE, nats[2], NONE, NONE]);
    expect(changed(topP(5, 0.53), nats)).toEqual([nats[0], NONE, nats[2], nats[3], NONE]);
    expect(changed(topP(5, 0.79), nats)).toEqual(nats);
  });

  it('counts levels that are too unlikely to be kept', () => {
    // 1000 levels of 1/5000 and one of 4/5: at 0.9, half of the unlikely ones; at 0.7, none.
    const nats = logs(0.8, ...new Array<number>(1000).fill(1 / 5000));
    const numKept = (p: number) => changed(topP(1001, p), nats).filter((one) => one > NONE).length;
    expect(numKept(0.7)).toBe(1);
    expect(numKept(0.89995)).toBe(501);
    // 1000 of 1/20000, below what is sorted at 0.5: with one of 0.95.
    const rare = logs(0.95, ...new Array<number>(1000).fill(1 / 20000));
    expect(changed(topP(1001, 0.5), rare).filter((one) => one > NONE)).toHaveLength(1);
    // 0.4 of 0.95 of each of two, 0.05 of rare ones: 0.51 needs the second, as the rare ones count in the total.
    const two = logs(0.5, 0.47, ...new Array<number>(1000).fill(3e-5));
    expect(changed(topP(1002, 0.505), two).filter((one) => one > NONE)).toHaveLength(2);
    expect(changed(topP(1002, 0.495), two).filter((one) => one > NONE)).toHaveLength(1);
  });
});

describe('every change', () => {
  const changes = { temperature: temperature(2, 0.5), 'temperature 0': temperature(2, 0), topK: topK(2, 1), topP: topP(2, 0.5) };
  it.each(Object.entries(changes))('leaves an image without a level so: %s', (_, change) => {
    expect(changed(change, [NONE, NONE])).toEqual([NONE, NONE]);
  });
});

describe('adjustment', () => {
  const images = { numImages: 1, imageShape: [1, 2, 1] as const, firstImage: 3, guidance: 0 };

  it('gets normalized log p after guidance, and refuses what is no log p', () => {
    const guided = adjustment(() => {}, 2, { ...images, guidance: 1 });
    for (const nats of changed(guided, [5, 5])) expect(nats).toBeCloseTo(-Math.LN2, 14);
    const bad = adjustment((logProbs) => void logProbs.fill(Number.NaN, 1), 2, images);
    expect(() => changed(bad, [-1, -1])).toThrow('sample: adjust: set log p to NaN, for level 1 of image 3 at [0, 1, 0]');
  });
});

it('guide keeps impossible levels so, and stays finite if only the class makes a level possible', () => {
  const nats = Float64Array.of(Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, -2);
  guide(nats, Float64Array.of(-1, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, -3), 0.5);
  expect([...nats]).toEqual([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, -1 + 0.5 * 744, -1.5]); // e^-745 is the least
  const away = Float64Array.of(Number.NEGATIVE_INFINITY, -1);
  guide(away, Float64Array.of(-1, -3), -0.5);
  expect([...away]).toEqual([Number.NEGATIVE_INFINITY, -2]);
});
