import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connection, isConnected, towards } from '../../../examples/tiles/connected.mjs';
import { runs } from '../../support/runs';

const KINDS = '≈~.,fMSr#=@%'; // a letter a kind, by number
const mapOf = (...rows: string[]) => Int32Array.from(rows.join(''), (letter) => KINDS.indexOf(letter));

/** The weight of a map of three rows of four tiles, drawn up to a place. */
function weigh(map: Int32Array, from: number, to: number, last: number): number {
  const soFar = map.map((tile, place) => (place > last ? 0 : tile));
  return connection(from, to)(soFar, [Math.floor(last / 4), last % 4, 0], [3, 4, 1]);
}

describe('isConnected', () => {
  const shape = [3, 4] as const;

  it('follows roads and bridges to all four sides, and nothing else', () => {
    const bend = mapOf('##,,', ',#,#', ',#=#');
    expect(isConnected(bend, 0, 7, shape)).toBe(true);
    expect(isConnected(bend, 7, 0, shape)).toBe(true);
    expect(isConnected(mapOf('##,,', ',#,#', ',#r#'), 0, 7, shape)).toBe(false);
    expect(isConnected(mapOf('##,,', ',,#,', ',,##'), 0, 11, shape)).toBe(false); // not across a corner
    expect(isConnected(mapOf(',,,#', '#,,,', ',,,,'), 3, 4, shape)).toBe(false); // nor from a row's end to the next one's start
  });

  it('takes both places to be road', () => {
    expect(isConnected(mapOf(',###', ',,,,', ',,,,'), 0, 3, shape)).toBe(false);
    expect(isConnected(mapOf('###,', ',,,,', ',,,,'), 0, 3, shape)).toBe(false);
  });

  it('reads maps of 32x32 unless told otherwise', () => {
    const map = new Uint8Array(1024).fill(3).fill(8, 32, 64);
    expect([isConnected(map, 32, 63), isConnected(map, 32, 64)]).toEqual([true, false]);
  });
});

describe('connection', () => {
  it('is 0 as long as a road can go on, less if it must fork, and -Infinity if it is cut off', () => {
    const bend = mapOf(',,,,', ',##,', ',,#,');
    expect(Array.from(bend, (_, last) => weigh(bend, 5, 10, last))).toEqual(new Array(12).fill(0));
    // A road may leave the map: an edge is one of the two sides on which it goes on.
    const edge = mapOf('####', ',,,#', ',,,#');
    expect(Array.from(edge, (_, last) => weigh(edge, 0, 11, last))).toEqual([...new Array(11).fill(-6), 0]);
    const short = mapOf('##,,', ',,,,', '####');
    expect(Array.from(short, (_, last) => weigh(short, 0, 11, last))).toEqual([...new Array(5).fill(-6), ...new Array(7).fill(-Infinity)]);
  });

  it('is -Infinity exactly if no way to draw the rest connects the places', () => {
    const tiles = fc.array(fc.constantFrom(3, 8, 8, 9), { minLength: 12, maxLength: 12 });
    const place = fc.nat(11);
    fc.assert(
      fc.property(tiles, place, place, fc.integer({ min: 2, max: 11 }), (tiles, from, to, last) => {
        const map = Int32Array.from(tiles);
        const rest = Array.from({ length: 2 ** (11 - last) }, (_, bits) =>
          map.map((tile, place) => (place <= last ? tile : (bits >> (place - last - 1)) % 2 ? 8 : 3)),
        );
        const canConnect = rest.some((whole) => isConnected(whole, from, to, [3, 4]));
        expect(weigh(map, from, to, last) > -Infinity).toBe(canConnect);
      }),
      runs({ numRuns: 300, seed: 1 }),
    );
  });
});

it('towards adds to each kind of each map what the map would then weigh', () => {
  const maps = [mapOf('##,,', ',,,,', ',,,,'), mapOf('#,,,', '#,,,', ',,,,')];
  const tiles = Int32Array.from(maps.flatMap((map) => [...map]));
  const logProbs = new Float64Array(24).fill(-1);
  towards(connection(0, 11))(logProbs, [1, 1, 0], tiles, [3, 4, 1]);
  const others = [-Infinity, -7]; // the first map is cut off unless its road goes south; the second's would fork
  const wanted = others.flatMap((other) => Array.from({ length: 12 }, (_, kind) => (kind === 8 || kind === 9 ? -1 : other)));
  expect([...logProbs]).toEqual(wanted);
  expect(tiles).toEqual(Int32Array.from(maps.flatMap((map) => [...map])));
});
