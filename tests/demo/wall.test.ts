import { sample } from 'pixelcnn-layers/runtime';
import { describe, expect, it } from 'vitest';
import { syllableOf } from '../../demo/panels/wall.mjs';
import { levelsOfText } from '../../demo/parts/levels-text.mjs';
import { randomOf } from '../../demo/parts/random.mjs';
import { shippedModel } from '../support/models/shipped';
import { eventually, pictureOf, sentJobs, useDemo } from './open-page';

const [MOUNTAIN, SNOW] = [5, 6];

it('asks for no syllable that insults, on any date of two years', () => {
  for (const date = new Date(2026, 0, 1); date < new Date(2028, 0, 1); date.setDate(date.getDate() + 1)) {
    const random = randomOf(10_000 * date.getFullYear() + 100 * (date.getMonth() + 1) + date.getDate());
    const asked = Array.from({ length: 21 }, () => syllableOf(random));
    for (const insult of '년놈똥뻑쌍썅씹엿좃') expect(asked).not.toContain(insult.charCodeAt(0) - 0xac00);
  }
});

describe('the wall of the demo', () => {
  const demo = useDemo();
  const wall = () => demo.panel('wall');
  const map = () => wall().locator('.wall-map canvas');
  const tiles = (noun: string) => wall().locator(`.wall-${noun}`);
  const open = async (query = '') => {
    await demo.page.goto(`${demo.address}${query}`);
    await map().waitFor();
  };
  const samples = async () => (await sentJobs(demo.page)).filter(({ kind }) => kind === 'sample');
  /** The levels of a tile of black and white, from its canvas. */
  const levelsOf = async (noun: string, place: number) => {
    const { data, width, height } = await pictureOf(tiles(noun).nth(place).locator('canvas'));
    const isInk = (i: number) => data[4 * i + 3] === 255 && (data[4 * i + 2] ?? 0) < 30; // neither blank nor the mark
    return Array.from({ length: width * height }, (_, i) => Number(isInk(i)));
  };

  it('is drawn from the date, by the models, or from the seed of its address, and then picture by picture anew', async () => {
    await demo.page.clock.install({ time: new Date(2026, 10, 29, 12) });
    await open('#wall?seed=abc');
    expect(await wall().getByText('seed (wanted 0 to 999999999, got “abc”). Today’s wall').isVisible()).toBe(true);
    const today = ['syllables-16', 'characters-small', 'tiles'].map((model) => ({ model, seed: 20261129 }));
    expect(await samples()).toMatchObject(today);
    const numImages = (await tiles('character').count()) + 3; // some to spare
    const { data } = await sample(await shippedModel('characters-small'), { numImages, seed: 20261129, temperature: 0.9 });
    expect(await levelsOf('character', 2)).toEqual([...data.slice(2 * 576, 3 * 576)]);
    const [job] = await samples();
    const asked = Object.values(job?.['classes'] as number[]).map((k) => `syllable ${String.fromCharCode(0xac00 + k)}`);
    const names = await tiles('syllable').evaluateAll((all) => all.map((tile) => tile.getAttribute('aria-label')));
    expect(asked.filter((name) => names.includes(name)).slice(0, names.length)).toEqual(names); // all but those that stay blank
    await demo.page.evaluate(() => location.assign('#wall?seed=5'));
    await eventually(async () => (await samples()).map(({ seed }) => seed).slice(3)).toEqual([5, 5, 5]);
    expect(await wall().getByText('Wall 5').isVisible()).toBe(true);

    await demo.page.clock.runFor(9000);
    expect(await samples()).toHaveLength(6); // who wants less motion sees none
    await demo.page.emulateMedia({ reducedMotion: 'no-preference' });
    await eventually(async () => {
      await demo.page.clock.runFor(1000);
      return (await samples()).length;
    }).toBe(7);
  });

  it('leads on to a glyph to be drawn by hand from its middle; arrow keys go as they hang', async () => {
    await open('#wall?seed=5');
    const levels = await levelsOf('character', 1);
    await tiles('character').nth(1).click();
    const drawing = demo.panel('drawing');
    await drawing.locator('.likeliest').waitFor();
    const begun = await drawing.getByRole('img', { name: / of 576 pixels are drawn/ }).getAttribute('aria-label');
    expect(Number(begun?.match(/\d+/)?.[0])).toBeGreaterThanOrEqual(288); // the next is open
    expect(await drawing.locator('.likeliest .next-chance').textContent()).toMatch(/^[5-9]\d%$/);
    expect(new URL(demo.page.url()).hash).toMatch(/^#drawing\?model=characters&values=/);
    const [values] = (await sentJobs(demo.page)).flatMap(({ kind, levels }) => (kind === 'likelihood' ? [levels] : []));
    expect(Object.values(values as object)).toEqual(levels);
    await tiles('syllable').first().focus();
    for (const key of ['ArrowRight', 'ArrowDown', 'ArrowLeft', 'ArrowLeft']) await demo.page.keyboard.press(key);
    const found = wall().locator('.wall-tile[tabindex="0"]'); // the Tab key finds one
    expect(await found.getAttribute('aria-label')).toBe(await tiles('syllable').nth(6).getAttribute('aria-label'));
    await demo.page.keyboard.press('Enter');
    await drawing.getByRole('img', { name: / of 256 pixels are drawn/ }).waitFor();
    expect(`syllable ${await drawing.getByLabel('Syllable').textContent()}`).toBe(await found.getAttribute('aria-label'));
  });

  it('has a map that grows around what is painted while the hand is there, to go on with', async () => {
    await open('#wall?seed=5');
    const { x, y, width } = (await map().boundingBox()) as { x: number; y: number; width: number };
    await demo.page.mouse.move(x + width / 2, y + width / 2);
    await demo.page.mouse.down();
    await eventually(async () => (await samples()).length).toBe(4);
    await demo.page.mouse.move(x + 0.75 * width, y + width / 2, { steps: 8 });
    await wall()
      .getByText(/^Drawn in|left:/)
      .waitFor({ state: 'attached' });
    await wall()
      .getByRole('link', { name: 'Paint with all tiles' })
      .evaluate((link: HTMLElement) => link.click());
    await demo.panel('maps').getByText('The map you asked for.').waitFor();
    const [, text = ''] = /tiles=(.*)/.exec(demo.page.url()) ?? [];
    const found = levelsOfText(text, { levels: 12, size: 1024 }) ?? [];
    for (const tile of found.slice(16 * 32 + 16, 16 * 32 + 24)) expect([MOUNTAIN, SNOW]).toContain(tile); // and none of grass
  });
});
