import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readPortable, sample } from 'pixelcnn-layers/runtime';
import { modelURL } from 'pixelcnn-models';
import { PNG } from 'pngjs';
import { build } from 'vite';
import { describe, expect, it } from 'vitest';
import { shapesOf } from '../../examples/tiles/art.mjs';
import { connection, isConnected, towards } from '../../examples/tiles/connected.mjs';
import { makeMaps } from '../../examples/tiles/generator.mjs';
import { brokenRules } from '../../examples/tiles/rules.mjs';
import { mapsOf, turned, turnedBack } from '../../examples/tiles/tiles.mjs';
import { parseNpy } from '../../kit/weights/npy.mjs';
import { chromiumPath } from '../support/browsers/chromium.mjs';
import { visitBuilt } from '../support/browsers/visit-built';
import { shippedModel } from '../support/models/shipped';
import { temporaryFolder } from '../support/node/temporary-folder';
import { itRefuses, runWell } from './run-script';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
const MODEL = fileURLToPath(modelURL('tiles'));
const KINDS = '≈~.,fMSr#=@%'; // a letter a kind, by number

const folder = temporaryFolder();

/** A map of grass with a river in column 8, a road in row 8 and a bridge, and changes to it: kinds from a place eastward. */
function mapWith(...changes: [row: number, column: number, kinds: string][]): Uint8Array {
  const rows = Array.from({ length: 32 }, (_, row): string => (row === 8 ? `########=${'#'.repeat(23)}` : `,,,,,,,,r${','.repeat(23)}`));
  for (const [row, column, kinds] of changes) {
    const tiles = rows[row] as string;
    rows[row] = tiles.slice(0, column) + kinds + tiles.slice(column + kinds.length);
  }
  return Uint8Array.from(rows.join(''), (letter) => KINDS.indexOf(letter));
}

/** Each breach as its rule and the places to blame, [row, column]. */
const breaches = (map: Uint8Array) =>
  brokenRules(map).map(({ rule, places }) => [rule, ...places.map((place) => `${Math.floor(place / 32)},${place % 32}`)].join(' '));

const ORIENTATIONS = [0, 1, 2, 3, 4, 5, 6, 7];

describe('the rules', () => {
  it('are kept by a plain map, and by a village on it', () => {
    expect(breaches(mapWith())).toEqual([]);
    expect(breaches(mapWith([7, 2, '@%'], [6, 2, '%'], [9, 4, '@@'], [10, 4, '%']))).toEqual([]);
  });

  it('count each pair of neighbours whose heights differ by more than a step, once', () => {
    expect(breaches(mapWith([3, 3, '.']))).toEqual([]);
    expect(breaches(mapWith([3, 3, 'f'], [4, 3, 'M']))).toEqual([]);
    expect(breaches(mapWith([3, 3, '~']))).toEqual(['slope 2,3 3,3', 'slope 3,2 3,3', 'slope 3,3 3,4', 'slope 3,3 4,3']);
    expect(breaches(mapWith([0, 31, 'S']))).toEqual(['slope 0,30 0,31', 'slope 0,31 1,31']);
    expect(breaches(mapWith([0, 0, 'S'], [0, 31, 'S']))).toHaveLength(4); // the end of a row is not beside the next one's start
    expect(breaches(mapWith([7, 0, '.'], [9, 0, 'M']))).toEqual([]); // roads lie as high as grass
    expect(breaches(mapWith([2, 9, 'S']))).not.toContain('slope 2,8 2,9'); // and rivers cut through
  });

  it('count roads that end or are wider than a tile', () => {
    expect(breaches(mapWith([7, 3, '#']))).toEqual(['road 7,3']); // a dead end; a fork is none
    expect(breaches(mapWith([8, 3, ',']))).toEqual(['road 8,2', 'road 8,4']);
    expect(breaches(mapWith([8, 31, ',']))).toEqual(['road 8,30']);
    expect(breaches(mapWith([7, 2, '###'], [6, 2, '# #'.replace(' ', ',')], [5, 2, '###']))).toEqual(['road 7,2', 'road 7,3']);
    expect(breaches(mapWith([8, 3, ','], [7, 2, '###']))).toEqual([]); // round a meadow
    expect(breaches(mapWith([0, 4, '##']))).toEqual([]); // in over the north edge, and out again
    expect(breaches(mapWith([0, 4, '#']))).toEqual(['road 0,4']);
  });

  it('count forks and ends of rivers', () => {
    expect(breaches(mapWith([3, 9, 'r']))).toEqual(['river 3,8', 'river 3,9']);
    expect(breaches(mapWith([3, 8, ',']))).toEqual(['river 2,8', 'river 4,8']);
    expect(breaches(mapWith([3, 8, ','], [2, 9, 'r'], [3, 9, 'r'], [4, 9, 'r']))).toEqual([]);
    expect(breaches(mapWith([4, 0, 'rr']))).toEqual(['river 4,1']); // in over the west edge
    expect(breaches(mapWith([4, 0, 'rrM']))).toEqual([]); // from a mountain
    expect(breaches(mapWith([3, 2, '.'], [4, 0, 'rr~.'], [5, 2, '.']))).toEqual([]); // into a lake
  });

  it('count bridges that do not take a road over a river', () => {
    expect(breaches(mapWith([8, 3, '=']))).toEqual(['bridge 8,3']);
    expect(breaches(mapWith([3, 8, '=']))).toEqual(['bridge 3,8']);
    expect(breaches(mapWith([8, 7, ',']))).toEqual(['road 8,6', 'bridge 8,8']);
    expect(breaches(mapWith([8, 9, ',']))).toEqual(['bridge 8,8', 'road 8,10']);
    expect(breaches(mapWith([7, 8, ',']))).toEqual(['river 6,8', 'bridge 8,8']);
    expect(breaches(mapWith([9, 8, ',']))).toEqual(['bridge 8,8', 'river 10,8']);
    expect(breaches(mapWith([8, 8, '#']))).toEqual(['river 7,8', 'river 9,8']);
  });

  it('count houses without a road, fields without a house or a road', () => {
    expect(breaches(mapWith([6, 3, '@']))).toEqual(['house 6,3']);
    expect(breaches(mapWith([6, 3, '%']))).toEqual(['field 6,3']);
    expect(breaches(mapWith([7, 3, '%']))).toEqual([]);
    expect(breaches(mapWith([0, 0, '@']))).toEqual([]); // a road may lie beyond the edge
  });

  it.each(ORIENTATIONS)('are the same on a map that is turned: %i', (orientation) => {
    expect(breaches(turned(mapWith(), orientation))).toEqual([]);
  });
});

it.each(ORIENTATIONS)('a map that is turned is turned back: %i', (orientation) => {
  const map = mapWith([3, 4, 'f'], [20, 9, '@']);
  const there = turned(map, orientation);
  expect(String(there) === String(map)).toBe(orientation === 0);
  expect(turnedBack(there, orientation)).toEqual(map);
});

it('turns a map so that the rows at an edge come last', () => {
  const map = Uint8Array.from({ length: 1024 }, (_, place) => (place % 32 === 31 ? 1 : place < 32 ? 2 : 0)); // east and north
  expect([...turned(map, 2).slice(-32)].slice(0, 31)).toEqual(new Array(31).fill(2));
  expect([...turned(map, 4).slice(-32)]).toEqual(new Array(32).fill(1));
  expect([...turned(map, 6).slice(-32)].slice(1)).toEqual(new Array(31).fill(0));
});

describe('the generator', () => {
  it.each([1, 2, 3])('keeps all rules: seed %i', (seed) => {
    for (const map of mapsOf(makeMaps(40, seed))) expect(breaches(map)).toEqual([]);
  });

  it('makes maps of every kind of tile, each map another, the same for a seed however many', () => {
    const maps = makeMaps(20, 1);
    expect(new Set(maps).size).toBe(12);
    expect(new Set(mapsOf(maps).map(String)).size).toBe(20);
    expect(makeMaps(5, 1)).toEqual(maps.slice(0, 5 * 1024));
    expect(makeMaps(5, 2)).not.toEqual(maps.slice(0, 5 * 1024));
  });
});

describe('the model', () => {
  it('is small, and draws maps that break few rules', async () => {
    const file = await readFile(MODEL);
    expect(file.length).toBeLessThan(250_000);
    const { data } = await sample(readPortable(file), { numImages: 60, seed: 3, temperature: 0.7 });
    const broken = mapsOf(data as Uint8Array).map((map) => brokenRules(map).length);
    const flawless = broken.filter((count) => count === 0).length;
    expect(flawless / 60).toBeGreaterThan(0.5);
    expect(broken.reduce((sum, count) => sum + count) / 60).toBeLessThan(1);
  });

  it('is drawn from and counted by draw.mjs, which paints maps of the generator above its own', async () => {
    const out = join(folder, 'tiles.png');
    const { stdout } = await runWell('tiles/draw.mjs', ['--maps', '6', '--seed', '2', '--out', out]);
    expect(stdout).toMatch(/^generator +100 %( +0\.00){7}$/m);
    const { data } = await sample(await shippedModel('tiles'), { numImages: 6, seed: 2, temperature: 0.7 });
    const broken = mapsOf(data as Uint8Array).flatMap(brokenRules).length / 6;
    expect(/^temperature 0\.7 +\d+ % +(\d\.\d\d) /m.exec(stdout)?.[1]).toBe(broken.toFixed(2));
    const { width, height, data: pixels } = PNG.sync.read(await readFile(out));
    expect([width, height]).toEqual([3 * 384 + 2 * 12, 2 * 384 + 2 * 12]);
    const drawn = painted(mapsOf(data as Uint8Array)[2] as Uint8Array);
    const cut = Array.from({ length: 384 }, (_, y) => {
      const from = 4 * ((y + 384 + 24) * width + 2 * (384 + 12));
      return [...pixels.subarray(from, from + 4 * 384)];
    });
    expect(cut.flat()).toEqual([...drawn]);
  });

  it('connects two given tiles in four ways, which draw.mjs --connect counts and paints', async () => {
    const out = join(folder, 'connected.png');
    const flags = ['--connect', '--maps', '3', '--particles', '24', '--seed', '3', '--out', out];
    const { stdout } = await runWell('tiles/draw.mjs', flags);
    const model = await shippedModel('tiles');
    const [from, to] = [22 * 32, 8 * 32 + 31];
    const potential = connection(from, to);
    const ways = {
      'by chance': [60, 1, {}],
      adjust: [3, 1, { adjust: towards(potential) }],
      particles: [3, 24, { lookAhead: 24 }],
      potential: [3, 24, { lookAhead: 24, potential }],
    } as const;
    let last: Uint8Array[] = [];
    for (const [name, [count, perMap, options]] of Object.entries(ways)) {
      const shape = [count, 32, 32, 1];
      const at = (value: number) => Uint8Array.from({ length: count * 1024 }, (_, i) => (i % 1024 === from || i % 1024 === to ? value : 0));
      const given = { initial: { data: at(8), shape }, known: { data: at(1), shape } };
      last = mapsOf((await sample(model, { ...given, ...options, seed: 3, temperature: 0.7 })).data as Uint8Array);
      const connected = last.filter((map) => isConnected(map, from, to)).length / count;
      if (name === 'adjust' || name === 'potential') expect(connected).toBe(1);
      const broken = last.flatMap(brokenRules).length / count;
      const both = last.filter((map) => isConnected(map, from, to) && brokenRules(map).length === 0).length;
      const draws = both === 0 ? '-' : ((perMap * count) / both).toFixed(0);
      const row = new RegExp(`^${name} +(.+)$`, 'm').exec(stdout)?.[1]?.split(/ +(?!%)/);
      const shares = [`${(100 * connected).toFixed(0)} %`, expect.any(String), expect.any(String)];
      expect(row).toEqual([...shares, broken.toFixed(2), `${count}`, draws]);
    }
    const { width, height, data: pixels } = PNG.sync.read(await readFile(out));
    expect([width, height]).toEqual([3 * 384 + 2 * 12, 3 * 384 + 2 * 24]);
    const colourAt = (x: number, y: number) => [...pixels.subarray(4 * (y * width + x), 4 * (y * width + x) + 3)];
    const [left, top] = [2 * 396, 2 * 408]; // of the last map
    expect(colourAt(left, top + 22 * 12)).toEqual([0xe3, 0x26, 0x2e]); // a frame
    expect(colourAt(left + 383, top + 8 * 12)).toEqual([0xe3, 0x26, 0x2e]);
  });
});

/** The pixels of a map, RGBA. */
function painted(map: Uint8Array): Uint8ClampedArray {
  const pixels = new Uint8ClampedArray(4 * 384 * 384);
  for (const { x, y, width, height, fill } of shapesOf(map)) {
    const colour = [1, 3, 5].map((at) => Number.parseInt(fill.slice(at, at + 2), 16));
    for (let row = y; row < y + height; row++) {
      for (let column = x; column < x + width; column++) pixels.set([...colour, 255], 4 * (row * 384 + column));
    }
  }
  return pixels;
}

describe('make-data.mjs', () => {
  it('writes maps to train on in all orientations, and others to test', async () => {
    const out = join(folder, 'data');
    await runWell('tiles/make-data.mjs', ['--maps', '2', '--out', out]);
    const read = async (part: string) => parseNpy(await readFile(join(out, `${part}.npy`)));
    const [train, test] = [await read('train'), await read('test')];
    expect([...train.shape, ...test.shape]).toEqual([16, 32, 32, 1, 32, 32]);
    const expected = mapsOf(makeMaps(2, 1)).flatMap((map) => ORIENTATIONS.flatMap((each) => [...turned(map, each)]));
    expect([...(train.data as Uint8Array)]).toEqual(expected);
    expect(test.data).toEqual(makeMaps(1, 2));
  });

  itRefuses(
    [
      ['--out: wanted a directory', ['tiles/make-data.mjs', '--out', 'FOLDER/tiles.png']],
      ["--maps: wanted a whole number of at least 3, got '2'", ['tiles/draw.mjs', '--maps', '2']],
    ],
    () => ({ FOLDER: folder }),
  );
});

it.skipIf(chromiumPath === undefined)('the page draws maps in workers, without tfjs', async () => {
  const outDir = join(folder, 'page');
  await build({ root: `${EXAMPLES}/tiles`, logLevel: 'error', build: { outDir } });
  await visitBuilt(outDir, async (page, requests) => {
    for (const seed of [1, 2]) {
      await page.getByRole('img', { name: `Map 4 of seed ${seed}` }).waitFor();
      const shown = await page
        .locator('canvas')
        .last()
        .evaluate((canvas: HTMLCanvasElement) => [
          ...(canvas.getContext('2d') as CanvasRenderingContext2D).getImageData(0, 0, 384, 384).data,
        ]);
      const options = { numImages: 4, seed, temperature: 0.7 };
      const { data } = await sample(await shippedModel('tiles'), options);
      expect(shown).toEqual([...painted(mapsOf(data as Uint8Array)[3] as Uint8Array)]);
      await page.getByRole('button', { name: 'New maps' }).click();
    }
    expect(requests.filter((url) => url.includes('tfjs') || url.includes('tensorflow'))).toEqual([]);
  });
});
