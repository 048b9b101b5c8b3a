import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { readPortable, sample } from 'pixelcnn-layers/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { levelsOfText, textOfLevels } from '../../examples/demo/parts/levels-text.mjs';
import { brokenRules, RULES } from '../../examples/tiles/rules.mjs';
import { mapsOf, NAMES } from '../../examples/tiles/tiles.mjs';
import { chromiumPath } from '../support/chromium.mjs';
import { button, eventually, pixels, recordJobs, says, sentJobs, stopClock, useDemo } from './demo-page';

const MODEL = fileURLToPath(new URL('../../examples/models/tiles.pixelcnn', import.meta.url));

describe.skipIf(chromiumPath === undefined)('maps in the demo', () => {
  const demo = useDemo();
  const panel = () => demo.panel('maps');
  const grid = () => panel().getByRole('application', { name: 'Map' });
  const headline = () => panel().locator('.headline').textContent();
  const readout = () => panel().locator('.readout').textContent();
  /** The map that is shown, by its link. */
  async function shown() {
    await button(panel(), 'Copy link').click();
    const query = new URLSearchParams(new URL(demo.page.url()).hash.split('?')[1]);
    return levelsOfText(query.get('tiles') ?? '', { levels: 12, size: 256 }) ?? [];
  }
  /** The map that the library draws. */
  async function drawnBy(options: object) {
    const model = readPortable(await readFile(MODEL));
    const { data } = await sample(model, { numImages: 1, ...options });
    return Array.from(mapsOf(data as Uint8Array)[0] as Uint8Array);
  }

  const lastSeed = async () =>
    (await sentJobs(demo.page)).filter((job) => job['model'] === 'tiles').at(-1)?.['seed'];

  beforeEach(async () => {
    await demo.page.addInitScript(recordJobs);
    await demo.open('maps');
    await eventually(headline).toBe('This map: 2 flaws');
  });

  it('draws what the library draws, and counts by rule what it breaks', async () => {
    const map = await drawnBy({ seed: 9, temperature: 0.8 });
    const broken = brokenRules(map);
    expect(broken).toHaveLength(2);
    expect(await shown()).toEqual(map);
    const counts = Object.entries(RULES).map(([rule, text]) => {
      const count = broken.filter((breach) => breach.rule === rule).length;
      return `${text}${count === 0 ? 'kept' : `broken ${count}×`}`;
    });
    expect(await panel().locator('.rules li').allTextContents()).toEqual(counts);
    const marked = await pixels(grid());
    await panel().getByLabel('Mark flaws').uncheck();
    expect(await pixels(grid())).not.toBe(marked);

    await grid().focus();
    const place = broken[0]?.places[0] as number;
    for (let row = 0; row < Math.floor(place / 16); row++) await demo.page.keyboard.press('ArrowDown');
    for (let column = 0; column < place % 16; column++) await demo.page.keyboard.press('ArrowRight');
    expect(await readout()).toBe(
      `Row ${Math.floor(place / 16)}, column ${place % 16}: ${NAMES[map[place] as number]}, breaks a rule (${broken[0]?.rule})`,
    );
    demo.expectClean();
  });

  it('draws again what is painted over, once the pointer is lifted, and nothing else', async () => {
    const before = await shown();
    await grid().scrollIntoViewIfNeeded();
    await stopClock(demo.page);
    const box = (await grid().boundingBox()) as { x: number; y: number; width: number };
    const at = (row: number, column: number) =>
      [box.x + ((column + 0.5) * box.width) / 16, box.y + ((row + 0.5) * box.width) / 16] as const;
    await demo.page.mouse.move(...at(4, 3));
    await demo.page.mouse.down();
    await demo.page.mouse.move(...at(4, 9), { steps: 12 });
    expect(await readout()).toBe('Row 4, column 9: painted over');
    await demo.page.clock.runFor(1000);
    expect(await readout()).toBe('Row 4, column 9: painted over');
    await demo.page.mouse.up();
    await demo.page.clock.resume();
    await says(panel(), /^7 tiles drawn in/);
    const shape = [1, 16, 16, 1];
    const initial = { data: Uint8Array.from(before), shape };
    const known = { data: Uint8Array.from(before, (_, place) => Number(place < 67 || place > 73)), shape };
    const again = await drawnBy({ initial, known, lookAhead: 64, temperature: 0.8, seed: await lastSeed() });
    expect(await shown()).toEqual(again);
    demo.expectClean();
  });

  it('draws again what is painted over by keys, or all', async () => {
    const first = await shown();
    await grid().focus();
    await demo.page.keyboard.press('Space');
    await says(panel(), /^1 tile drawn in/);
    expect((await shown()).slice(1)).toEqual(first.slice(1));
    await button(panel(), 'New map').click();
    await says(panel(), /^A map drawn in/);
    const seed = await lastSeed();
    expect(await shown()).toEqual(await drawnBy({ seed, temperature: 0.8 }));
    await panel().getByLabel('Temperature').fill('0.3');
    const cold = await drawnBy({ seed, temperature: 0.3 });
    await eventually(shown).toEqual(cold);
    demo.expectClean();
  });

  it('mends flaws, and stops at none', async () => {
    const mend = button(panel(), 'Mend flaws');
    await mend.press('Enter');
    await says(
      panel(),
      /^(Mended: 2 flaws before, \w+ flaws? now|No try was better. Mend again for others)\.$/,
    );
    await eventually(async () => {
      if (await mend.isEnabled()) await mend.press('Enter'); // it most often takes one try
      return headline();
    }).toBe('This map: no flaws');
    expect(brokenRules(await shown())).toEqual([]);
    expect(await mend.isDisabled()).toBe(true);
    demo.expectClean();
  });

  it('has a link to the map that is shown, and says what is wrong with one', async () => {
    const map = await drawnBy({ seed: 1, temperature: 1 });
    const tiles = textOfLevels(map);
    await demo.page.evaluate((hash) => location.assign(hash), `#maps?temperature=0.5&tiles=${tiles}`);
    await says(panel(), 'The map in the link.');
    expect(await shown()).toEqual(map);
    expect(await panel().getByLabel('Temperature').inputValue()).toBe('0.5');
    await demo.page.evaluate(() => location.assign('#maps?tiles=012z'));
    await eventually(() => panel().locator('.stage > .alert').textContent()).toBe(
      'Ignored in the address: tiles (wanted those of 256 tiles, got “012z”).',
    );
    await says(panel(), /^A map drawn in/);
    demo.expectClean();
  });
});
