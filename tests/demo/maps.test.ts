import { sample } from 'pixelcnn-layers/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { levelsOfText, textOfLevels } from '../../demo/parts/levels-text.mjs';
import { makeMaps } from '../../examples/tiles/generator.mjs';
import { brokenRules, RULES } from '../../examples/tiles/rules.mjs';
import { NAMES, turnedBack } from '../../examples/tiles/tiles.mjs';
import { shippedModel } from '../support/models/shipped';
import { button, eventually, pixels, says, sentJobs, stopClock, useDemo } from './open-page';

const PLACES = [...Array(1024).keys()];
const [GRASS, SNOW] = [3, 6];

describe('maps in the demo', () => {
  const demo = useDemo();
  const panel = () => demo.panel('maps');
  const grid = () => panel().getByRole('application', { name: 'Map' });
  const headline = () => panel().locator('.headline').textContent();
  const readout = () => panel().locator('.readout').textContent();
  const flaws = (map: number[]) => brokenRules(map).length;
  const idle = () => eventually(() => panel().locator('.report .status').textContent()).not.toMatch(/… $/);
  /** The map that is shown, by its link. */
  async function shown() {
    await button(panel(), 'Copy link').click();
    const query = new URLSearchParams(new URL(demo.page.url()).hash.split('?')[1]);
    return levelsOfText(query.get('tiles') ?? '', { levels: 12, size: 1024 }) ?? [];
  }
  const jobs = async () => (await sentJobs(demo.page)).filter((job) => job['model'] === 'tiles' && 'given' in job); // not the wall's
  /** What the library draws for a job, in the map's own orientation: of four tries the first with the fewest flaws. */
  async function drawnFor(job: Record<string, unknown>, orientation = 0) {
    const whole = await shippedModel('tiles');
    const rows = job['rows'] as number;
    const model = { ...whole, imageShape: [rows, 32, 1] as [number, number, number] };
    const given = job['given'] as Record<'levels' | 'known', Record<number, number>>;
    const dense = (data: Record<number, number>) => Uint8Array.from(PLACES, (i) => data[i] ?? 0);
    const levels = dense(given.levels);
    const places = Array.from({ length: 4 * rows * 32 }, (_, i) => i % (rows * 32));
    const fourTimes = (data: Uint8Array) => ({ data: places.map((i) => data[i] as number), shape: [4, rows, 32, 1] });
    const { data } = await sample(model, {
      ...{ numImages: 4, seed: job['seed'] as number, temperature: job['temperature'] as number, lookAhead: 16 },
      ...{ initial: fourTimes(levels), known: fourTimes(dense(given.known)) },
    });
    const maps = [0, 1, 2, 3].map((n) => {
      const map = levels.slice();
      map.set(Uint8Array.from(data.slice(n * rows * 32, (n + 1) * rows * 32)));
      return [...turnedBack(map, orientation)];
    });
    return maps.reduce((a, b) => (flaws(b) < flaws(a) ? b : a));
  }
  /** Opens a map by its link. */
  async function openMap(map: ArrayLike<number>) {
    const tiles = textOfLevels(Array.from(map));
    await demo.page.evaluate((hash) => location.assign(hash), `#maps?temperature=0.5&tiles=${tiles}`);
    await says(panel(), 'The map you asked for.');
  }

  beforeEach(async () => {
    await demo.open('maps');
    await eventually(headline).toBe('This map: no flaws');
  });

  it('first shows a map that the model draws without flaws', async () => {
    const [first, ...others] = await jobs();
    expect(others).toEqual([]);
    const map = await drawnFor(first as Record<string, unknown>);
    expect(first).toMatchObject({ temperature: 0.8, rows: 32 });
    expect(flaws(map)).toBe(0);
    expect(await shown()).toEqual(map);
    const kept = Object.values(RULES).map((text) => `${text}kept`);
    expect(await panel().locator('.rules li').allTextContents()).toEqual(kept);
    await grid().focus();
    for (let row = 0; row < 3; row++) await demo.page.keyboard.press('ArrowDown');
    expect(await readout()).toBe(`Row 4, column 1: ${NAMES[map[96] as number]}`);
  });

  it('keeps what is painted, and draws what is around it to fit, while the pointer is down', async () => {
    const meadow = new Array(1024).fill(GRASS);
    await openMap(meadow);
    await panel().getByRole('radio', { name: 'snow' }).check();
    await grid().scrollIntoViewIfNeeded();
    await stopClock(demo.page);
    const box = (await grid().boundingBox()) as { x: number; y: number; width: number };
    const at = (row: number, column: number) =>
      [box.x + ((column + 0.5) * box.width) / 32, box.y + ((row + 0.5) * box.width) / 32] as const;
    const before = (await jobs()).length;
    await demo.page.mouse.move(...at(14, 13));
    await demo.page.mouse.down();
    await demo.page.mouse.move(...at(14, 17), { steps: 12 });
    expect(await readout()).toBe('Row 15, column 18: snow, painted');
    expect(await jobs()).toHaveLength(before);
    await demo.page.clock.resume();
    await eventually(async () => (await jobs()).length).toBeGreaterThan(before);
    await idle();
    await demo.page.mouse.up();
    const map = await shown();
    expect(map.slice(14 * 32 + 13, 14 * 32 + 18)).toEqual(new Array(5).fill(SNOW));
    const job = (await jobs())[before] as Record<string, unknown>;
    const { known } = job['given'] as { known: Record<number, number> };
    const free = PLACES.filter((place) => known[place] === 0);
    const near = PLACES.filter((place) => {
      const [row, column] = [Math.abs(Math.floor(place / 32) - 14), Math.max(0, Math.abs((place % 32) - 15) - 2)];
      return row + column >= 1 && row + column <= 3;
    });
    expect(free).toEqual(near);
    expect(map.slice(0, 4 * 32)).toEqual(meadow.slice(0, 4 * 32));
  });

  it('draws again what it is told to, by keys, and another map', async () => {
    const first = await shown();
    await panel().getByRole('radio', { name: 'redraw' }).check();
    await grid().focus();
    await demo.page.keyboard.press('Space');
    expect(await readout()).toBe('Row 1, column 1: to be drawn again');
    await eventually(async () => (await jobs()).length).toBeGreaterThan(1);
    await idle();
    const job = (await jobs())[1] as Record<string, unknown>;
    const { known } = job['given'] as { known: Record<number, number> };
    expect(PLACES.filter((place) => known[place] === 0)).toEqual([0]);
    expect((await shown()).slice(512)).toEqual(first.slice(512));
    await button(panel(), 'New map').click();
    await button(panel(), 'New map').click(); // instead
    await idle();
    expect(await shown()).not.toEqual(first);
  });

  it('goes on over each edge from what stays, and shows the same again on the way back', async () => {
    const first = await shown();
    const [top, left] = [(map: number[]) => map.slice(0, 24 * 32), (map: number[]) => map.filter((_, i) => i % 32 < 24)];
    const [bottom, right] = [(map: number[]) => map.slice(8 * 32), (map: number[]) => map.filter((_, i) => i % 32 >= 8)];
    const ways = [
      ['south', 'north', 0, bottom, top], ['north', 'south', 2, top, bottom], ['east', 'west', 4, right, left],
      ['west', 'east', 6, left, right],
    ] as const; // biome-ignore format: in few lines
    for (const [there, back, orientation, stays, then] of ways) {
      const before = (await jobs()).length;
      await button(panel(), `Move ${there}`).click();
      await eventually(async () => (await jobs()).length).toBeGreaterThan(before);
      await idle();
      const map = await shown();
      const [job, ...mending] = (await jobs()).slice(before) as Record<string, unknown>[];
      if (mending.length === 0) {
        expect(then(map)).toEqual(stays(first));
        expect(map).toEqual(await drawnFor(job as Record<string, unknown>, orientation));
      }
      const jobsThere = (await jobs()).length;
      await button(panel(), `Move ${back}`).click();
      await idle();
      if (mending.length === 0) {
        expect(await shown()).toEqual(first);
        expect((await jobs()).length).toBe(jobsThere); // it is remembered
      }
    }
    const before = (await jobs()).length;
    await grid().focus();
    await demo.page.keyboard.press('Shift+ArrowDown');
    await demo.page.keyboard.press('Shift+ArrowUp');
    await idle();
    expect((await jobs()).length).toBe(before);
  });

  it('marks and mends flaws of the rules that are on', async () => {
    const map = makeMaps(1, 1);
    const meadow = new Uint8Array(1024).fill(GRASS);
    meadow[15 * 32 + 15] = SNOW;
    expect(flaws([...map])).toBe(0);
    await openMap(meadow);
    expect(await headline()).toBe('This map: 4 flaws');
    const slope = panel().getByLabel(RULES['slope'] as string);
    const marked = await pixels(grid());
    await slope.uncheck();
    expect(await headline()).toBe('This map: no flaws');
    expect(await pixels(grid())).not.toBe(marked);
    const mend = button(panel(), 'Mend flaws');
    expect(await mend.isVisible()).toBe(false);
    await slope.check();
    await grid().focus();
    for (let i = 0; i < 15; i++) await demo.page.keyboard.press('ArrowDown');
    for (let i = 0; i < 15; i++) await demo.page.keyboard.press('ArrowRight');
    expect(await readout()).toBe('Row 16, column 16: snow, breaks a rule (slope)');
    await eventually(async () => {
      if (await mend.isVisible()) await mend.press('Enter'); // it most often takes one try
      return headline();
    }).toBe('This map: no flaws');
    expect(flaws(await shown())).toBe(0);
  });

  it('has a link to the map that is shown, and says what is wrong with one', async () => {
    const map = makeMaps(1, 1);
    await openMap(map);
    expect(await shown()).toEqual([...map]);
    expect(await panel().getByLabel('Temperature').inputValue()).toBe('0.5');
    await demo.page.evaluate(() => location.assign('#maps?tiles=012z'));
    await eventually(() => panel().locator('.report .alert').textContent()).toBe(
      'Ignored in the address: tiles (wanted those of 1024 tiles, got “012z”).',
    );
    await says(panel(), /^Drawn in/);
  });
});
