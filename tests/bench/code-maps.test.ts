import { describe, expect, it } from 'vitest';
import { codeMapEntropy, codeMaps } from './lib/code-maps.mjs';

const MAPS = 4000;
const maps = codeMaps(MAPS, 'a test');
const kinds = maps.labels as Uint8Array;
const at = (n: number, row: number, column: number) => maps.data[(n * 8 + row) * 8 + column] as number;

/** Rows up and columns to the left of the code that is followed, by class. */
const FOLLOWED: [number, number][] = [[0, 1], [1, 0], [1, 1], [1, -1]]; // biome-ignore format: one line
/** [code, the one that follows it] of each place away from the edges. */
const pairs = Array.from({ length: MAPS }, (_, n) => n).flatMap((n) => {
  const [up, left] = FOLLOWED[kinds[n] as number] as [number, number];
  const inside = [1, 2, 3, 4, 5, 6];
  return inside.flatMap((row) => inside.map((column) => [at(n, row - up, column - left), at(n, row, column)]));
}) as [number, number][];

describe('maps of codes', () => {
  it('stay, or go one step in a ring of all 512 codes, as often as the law says', () => {
    const beside = Array.from({ length: 512 }, () => new Set<number>());
    let stays = 0;
    for (const [from, to] of pairs) {
      if (from === to) stays++;
      else beside[from]?.add(to);
    }
    expect(stays / pairs.length).toBeCloseTo(0.8, 2);
    const seen: number[] = [];
    let [before, code] = [-1, 0];
    do {
      seen.push(code);
      expect(beside[code]?.size).toBe(2);
      const [one, other] = [...(beside[code] as Set<number>)] as [number, number];
      [before, code] = [code, one === before ? other : one];
    } while (code !== 0);
    expect(new Set(seen).size).toBe(512);
  });

  it('take log2 512 bits for the first code, and for each of 63 those of 0.8, 0.1 and 0.1', () => {
    expect(codeMapEntropy).toBeCloseTo((9 + 63 * 0.92193) / 64, 5); // 0.8 * 0.32193 + 0.2 * 3.32193
  });

  it('are the same for the same seed, and others of the same codes for another', () => {
    expect(codeMaps(20, 'a test').data).toEqual(maps.data.slice(0, 20 * 64));
    expect(codeMaps(20, 'another').data).not.toEqual(maps.data.slice(0, 20 * 64));
    const known = new Set(pairs.map(String));
    const others = codeMaps(200, 'another');
    for (let n = 0; n < 200; n++) {
      if (others.labels?.[n] !== 0) continue; // each follows the one to its left
      const [from, to] = [others.data[n * 64 + 9], others.data[n * 64 + 10]];
      expect(known.has(`${from},${to}`)).toBe(true);
    }
  });
});
