import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readPortable, sample } from 'pixelcnn-layers/runtime';
import { PNG } from 'pngjs';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shapesOf } from '../../examples/tiles/art.mjs';
import { connection, isConnected, towards } from '../../examples/tiles/connected.mjs';
import { makeMaps } from '../../examples/tiles/generator.mjs';
import { brokenRules } from '../../examples/tiles/rules.mjs';
import { mapsOf } from '../../examples/tiles/tiles.mjs';
import { chromiumPath } from '../support/chromium.mjs';
import { launchChromium, serve, watch } from '../support/pages';
import { PATIENCE } from '../support/patience.mjs';
import { itRefuses, runScript } from './run-script';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
const MODEL = `${EXAMPLES}/models/tiles.pixelcnn`;
const KINDS = '≈~.,fMSr#=@%'; // a letter a kind, by number

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tiles-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A map of grass with a river in column 8, a road in row 8 and a bridge, and changes to it: kinds from a place eastward. */
function mapWith(...changes: [row: number, column: number, kinds: string][]): Uint8Array {
  const rows = Array.from({ length: 16 }, (_, row): string =>
    row === 8 ? '########=#######' : ',,,,,,,,r,,,,,,,',
  );
  for (const [row, column, kinds] of changes) {
    const tiles = rows[row] as string;
    rows[row] = tiles.slice(0, column) + kinds + tiles.slice(column + kinds.length);
  }
  return Uint8Array.from(rows.join(''), (letter) => KINDS.indexOf(letter));
}

/** Each breach as its rule and the places to blame, [row, column]. */
const breaches = (map: Uint8Array) =>
  brokenRules(map).map(({ rule, places }) =>
    [rule, ...places.map((place) => `${Math.floor(place / 16)},${place % 16}`)].join(' '),
  );

describe('the rules', () => {
  it('are kept by a plain map, and by a village on it', () => {
    expect(breaches(mapWith())).toEqual([]);
    expect(breaches(mapWith([7, 2, '@%'], [6, 2, '%'], [9, 4, '@@'], [10, 4, '%']))).toEqual([]);
  });

  it('count each pair of neighbours whose heights differ by more than a step, once', () => {
    expect(breaches(mapWith([3, 3, '.']))).toEqual([]); // sand in grass
    expect(breaches(mapWith([3, 3, 'f']))).toEqual([]);
    expect(breaches(mapWith([3, 3, '~']))).toEqual([
      'slope 2,3 3,3',
      'slope 3,2 3,3',
      'slope 3,3 3,4',
      'slope 3,3 4,3',
    ]);
    expect(breaches(mapWith([0, 15, 'M']))).toEqual(['slope 0,14 0,15', 'slope 0,15 1,15']);
    expect(breaches(mapWith([0, 0, 'M'], [0, 15, 'M']))).toHaveLength(4); // the end of a row is not beside the next one's start
    expect(breaches(mapWith([7, 0, '.'], [9, 0, '.'], [9, 7, '.'], [7, 9, 'f']))).toEqual([]); // ways lie as high as grass
    expect(breaches(mapWith([2, 9, 'M']))).toContain('slope 2,8 2,9');
  });

  it('count forks and ends of roads', () => {
    expect(breaches(mapWith([7, 3, '#']))).toEqual(['road 7,3', 'road 8,3']); // a dead end, a fork
    expect(breaches(mapWith([8, 3, ',']))).toEqual(['road 8,2', 'road 8,4']);
    expect(breaches(mapWith([8, 15, ',']))).toEqual(['road 8,14']);
    expect(breaches(mapWith([8, 3, ','], [7, 2, '###']))).toEqual([]); // round a meadow
    expect(breaches(mapWith([0, 0, '#'], [1, 0, '#']))).toEqual([]); // in by the west edge, and out again
    expect(breaches(mapWith([0, 4, '#']))).toEqual(['road 0,4']); // the north edge is none of a road's
  });

  it('count forks and ends of rivers', () => {
    expect(breaches(mapWith([3, 9, 'r']))).toEqual(['river 3,8', 'river 3,9']);
    expect(breaches(mapWith([3, 8, ',']))).toEqual(['river 2,8', 'river 4,8']);
    expect(breaches(mapWith([3, 8, ','], [2, 9, 'r'], [3, 9, 'r'], [4, 9, 'r']))).toEqual([]);
    expect(breaches(mapWith([0, 3, 'rr']))).toEqual([]); // in by the north edge, and out again
    expect(breaches(mapWith([4, 0, 'r']))).toEqual(['river 4,0']); // the west edge is none of a river's
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

  it('count houses without a road, fields without a house', () => {
    expect(breaches(mapWith([6, 3, '@']))).toEqual(['house 6,3']);
    expect(breaches(mapWith([7, 3, '%']))).toEqual(['field 7,3']);
    expect(breaches(mapWith([0, 0, '@']))).toEqual(['house 0,0']);
  });
});

describe('the generator', () => {
  it.each([1, 2, 3])('keeps all rules: seed %i', (seed) => {
    for (const map of mapsOf(makeMaps(40, seed))) expect(breaches(map)).toEqual([]);
  });

  it('makes maps of every kind of tile, each map another, the same for a seed however many', () => {
    const maps = makeMaps(20, 1);
    expect(new Set(maps).size).toBe(12);
    expect(new Set(mapsOf(maps).map(String)).size).toBe(20);
    expect(makeMaps(5, 1)).toEqual(maps.slice(0, 5 * 256));
    expect(makeMaps(5, 2)).not.toEqual(maps.slice(0, 5 * 256));
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
    const { code, stdout, stderr } = await runScript('tiles/draw.mjs', [
      '--maps',
      '8',
      '--seed',
      '2',
      '--out',
      out,
    ]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^generator +100 %( +0\.00){7}$/m);
    const { data } = await sample(readPortable(await readFile(MODEL)), {
      numImages: 8,
      seed: 2,
      temperature: 0.7,
    });
    const broken = mapsOf(data as Uint8Array).flatMap(brokenRules).length / 8;
    expect(/^temperature 0\.7 +\d+ % +(\d\.\d\d) /m.exec(stdout)?.[1]).toBe(broken.toFixed(2));

    const { width, height, data: pixels } = PNG.sync.read(await readFile(out));
    expect([width, height]).toEqual([4 * 192 + 3 * 12, 2 * 192 + 2 * 12]);
    const drawn = painted(mapsOf(data as Uint8Array)[3] as Uint8Array, 1);
    const cut = Array.from({ length: 192 }, (_, y) => {
      const from = 4 * ((y + 192 + 24) * width + 3 * (192 + 12));
      return [...pixels.subarray(from, from + 4 * 192)];
    });
    expect(cut.flat()).toEqual([...drawn]);
  });

  it('connects two given tiles in four ways, which draw.mjs --connect counts and paints', async () => {
    const out = join(folder, 'connected.png');
    const flags = ['--connect', '--maps', '4', '--particles', '48', '--seed', '3', '--out', out];
    const { code, stdout, stderr } = await runScript('tiles/draw.mjs', flags);
    expect([code, stderr]).toEqual([0, '']);
    const model = readPortable(await readFile(MODEL));
    const [from, to] = [11 * 16, 4 * 16 + 15];
    const potential = connection(from, to);
    const ways = {
      'by chance': [80, 1, {}],
      adjust: [4, 1, { adjust: towards(potential) }],
      particles: [4, 48, { lookAhead: 48 }],
      potential: [4, 48, { lookAhead: 48, potential }],
    } as const;
    let last: Uint8Array[] = [];
    for (const [name, [count, perMap, options]] of Object.entries(ways)) {
      const shape = [count, 16, 16, 1];
      const at = (value: number) =>
        Uint8Array.from({ length: count * 256 }, (_, i) => (i % 256 === from || i % 256 === to ? value : 0));
      const given = { initial: { data: at(8), shape }, known: { data: at(1), shape } };
      last = mapsOf((await sample(model, { ...given, ...options, seed: 3, temperature: 0.7 })).data as Uint8Array); // biome-ignore format: one line
      const connected = last.filter((map) => isConnected(map, from, to)).length / count;
      if (name === 'adjust' || name === 'potential') expect(connected).toBe(1);
      const broken = last.flatMap(brokenRules).length / count;
      const both = last.filter((map) => isConnected(map, from, to) && brokenRules(map).length === 0).length;
      const draws = both === 0 ? '-' : ((perMap * count) / both).toFixed(0);
      const row = new RegExp(`^${name} +(.+)$`, 'm').exec(stdout)?.[1]?.split(/ +(?!%)/);
      expect(row).toEqual([`${(100 * connected).toFixed(0)} %`, expect.any(String), expect.any(String), broken.toFixed(2), `${count}`, draws]); // biome-ignore format: one line
    }
    const { width, height, data: pixels } = PNG.sync.read(await readFile(out));
    expect([width, height]).toEqual([4 * 192 + 3 * 12, 3 * 192 + 2 * 24]);
    const colourAt = (x: number, y: number) => [...pixels.subarray(4 * (y * width + x), 4 * (y * width + x) + 3)]; // biome-ignore format: one line
    const [left, top] = [3 * 204, 2 * 216]; // of the last map
    const drawn = painted(last[3] as Uint8Array, 1);
    const inside = 4 * (100 * 192 + 100);
    expect(colourAt(left + 100, top + 100)).toEqual([...drawn.subarray(inside, inside + 3)]);
    expect(colourAt(left, top + 11 * 12)).toEqual([0xe3, 0x26, 0x2e]); // a frame
    expect(colourAt(left + 191, top + 4 * 12)).toEqual([0xe3, 0x26, 0x2e]);
  });
});

/** The pixels of a map, RGBA, each enlarged to a square of `scale`. */
function painted(map: Uint8Array, scale: number): Uint8ClampedArray {
  const side = 192 * scale;
  const pixels = new Uint8ClampedArray(4 * side * side);
  for (const { x, y, width, height, fill } of shapesOf(map)) {
    const colour = [1, 3, 5].map((at) => Number.parseInt(fill.slice(at, at + 2), 16));
    for (let row = scale * y; row < scale * (y + height); row++) {
      for (let column = scale * x; column < scale * (x + width); column++)
        pixels.set([...colour, 255], 4 * (row * side + column));
    }
  }
  return pixels;
}

describe('train.mjs', () => {
  it('trains, leaves no tensor behind, and writes a model that draws', async () => {
    const out = join(folder, 'short.pixelcnn');
    const flags = ['--steps', '3', '--out', out];
    const { code, stdout, stderr, tensorsLeft } = await runScript('tiles/train.mjs', flags);
    expect([code, stderr, tensorsLeft]).toEqual([0, '', 0]);
    expect(stdout).toMatch(/^\d\.\d{3} bits a tile, \d+ s$/m);
    const { data, shape } = await sample(readPortable(await readFile(out)), { numImages: 2, seed: 1 });
    expect(shape).toEqual([2, 16, 16, 1]);
    expect(Math.max(...data)).toBeLessThan(12);
  });

  itRefuses(
    [
      ["--steps: wanted a whole number of at least 1, got '0'", ['tiles/train.mjs', '--steps', '0']],
      ['--out: wanted a file, FOLDER is a directory', ['tiles/train.mjs', '--out', 'FOLDER']],
      ["--maps: wanted a whole number of at least 4, got '3'", ['tiles/draw.mjs', '--maps', '3']],
      ["--particles: wanted a whole number of at least 1, got '0'", ['tiles/draw.mjs', '--particles', '0']],
    ],
    () => ({ FOLDER: folder }),
  );
});

describe.skipIf(chromiumPath === undefined)('the page', () => {
  it('draws maps in workers, counts what they break, marks it, and picks flawless ones, without tfjs', async () => {
    const outDir = join(folder, 'page');
    await build({ root: `${EXAMPLES}/tiles`, logLevel: 'error', build: { outDir } });
    const { server, origin } = await serve(outDir);
    const browser = await launchChromium();
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE);
    const { complaints, requests } = watch(page);
    const model = readPortable(await readFile(MODEL));
    const drawnBy = async (options: object) => mapsOf((await sample(model, options)).data as Uint8Array);
    const status = (text: string) => page.locator('#status', { hasText: text }).waitFor();
    const captions = () => page.locator('figcaption:visible').allTextContents();
    const captionsOf = (maps: Uint8Array[]) =>
      maps
        .map(brokenRules)
        .map((broken) =>
          broken.length === 0
            ? 'keeps all rules'
            : `${broken.length} broken: ${[...new Set(broken.map(({ rule }) => rule))].join(', ')}`,
        );
    /** The pixels of the first map, as a digest: half a million numbers are slow to hand over and to compare. */
    const pixels = () =>
      page
        .locator('canvas')
        .first()
        .evaluate(async (canvas: HTMLCanvasElement) => {
          const { data } = (canvas.getContext('2d') as CanvasRenderingContext2D).getImageData(
            0,
            0,
            canvas.width,
            canvas.height,
          );
          const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
          return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
        });
    const pixelsOf = (map: Uint8Array) => createHash('sha256').update(painted(map, 2)).digest('hex');
    try {
      await page.goto(`${origin}/some/folder/`);
      await status('8 of 8 maps');
      expect(page.workers().length).toBe(2);
      const first = await drawnBy({ numImages: 8, seed: 1, temperature: 0.7 });
      expect(await captions()).toEqual(captionsOf(first));
      const counts = (await page.locator('td:last-child').allTextContents()).map(Number);
      expect(counts.reduce((sum, count) => sum + count)).toBe(first.flatMap(brokenRules).length);
      await page.locator('#marking').uncheck();
      expect(await pixels()).toBe(pixelsOf(first[0] as Uint8Array));

      await page.locator('#next').click(); // seed 2
      await page.locator('#temperature').fill('1.2');
      await page.locator('#temperature').dispatchEvent('change');
      const wild = await drawnBy({ numImages: 8, seed: 2, temperature: 1.2 });
      await expect.poll(captions).toEqual(captionsOf(wild));
      expect(await pixels()).toBe(pixelsOf(wild[0] as Uint8Array));
      await page.locator('#marking').check();
      const place = brokenRules(wild[0] as Uint8Array)[0]?.places[0] as number;
      const corner = [24 * (place % 16), 24 * Math.floor(place / 16)] as const; // of its tile
      const colour = await page
        .locator('canvas')
        .first()
        .evaluate(
          (canvas: HTMLCanvasElement, [x, y]) => [
            ...(canvas.getContext('2d')?.getImageData(x, y, 1, 1).data ?? []),
          ],
          corner,
        );
      expect(colour).toEqual([0xe3, 0x26, 0x2e, 255]);

      await page.locator('#temperature').fill('0.6');
      await page.locator('#choosing').check();
      await expect.poll(captions).toEqual(new Array(8).fill('keeps all rules'));
      const many = await drawnBy({ numImages: 64, seed: 2, temperature: 0.6 });
      const flawless = many.find((map) => brokenRules(map).length === 0) as Uint8Array;
      expect(await pixels()).toBe(pixelsOf(flawless));

      // Tiles that are painted over are drawn again, given all others.
      await page.locator('#choosing').uncheck();
      await page.locator('#marking').uncheck();
      const before = await drawnBy({ numImages: 8, seed: 2, temperature: 0.6 });
      await expect.poll(captions).toEqual(captionsOf(before));
      await status('8 of 8 maps');
      const box = (await page.locator('canvas').first().boundingBox()) as {
        x: number;
        y: number;
        width: number;
      };
      const at = (row: number, column: number) =>
        [box.x + ((column + 0.5) * box.width) / 16, box.y + ((row + 0.5) * box.width) / 16] as const;
      await page.mouse.move(...at(4, 3));
      await page.mouse.down();
      await page.mouse.move(...at(4, 9), { steps: 30 });
      await page.mouse.up();
      await status('7 tiles drawn again');
      const known = Uint8Array.from({ length: 256 }, (_, i) => Number(i < 67 || i > 73));
      const shape = [1, 16, 16, 1];
      const initial = { data: before[0] as Uint8Array, shape };
      const given = { initial, known: { data: known, shape }, lookAhead: 64, temperature: 0.6 };
      const [again] = await drawnBy({ ...given, seed: 2 + 1e6 });
      expect(await pixels()).toBe(pixelsOf(again as Uint8Array));

      const flawsBefore = [again as Uint8Array, ...before.slice(1)].flatMap(brokenRules).length;
      await page.locator('#mend').click();
      await status('drawn again');
      const flawsAfter = async () =>
        (await page.locator('td:last-child').allTextContents())
          .map(Number)
          .reduce((sum, count) => sum + count);
      await expect.poll(flawsAfter).toBeLessThan(flawsBefore);

      const ofThisTest = /willReadFrequently/; // its looks at the canvas
      expect(complaints.filter((text) => !ofThisTest.test(text))).toEqual([]);
      expect(requests.filter((url) => url.includes('tfjs') || url.includes('tensorflow'))).toEqual([]);
    } finally {
      await browser.close();
      server.close();
    }
  });
});
