import { sample } from 'pixelcnn-layers/runtime';
import { describe, expect, it } from 'vitest';
import { shippedModel } from '../support/models/shipped';
import { button, eventually, pictureOf, pixels, sentJobs, useDemo } from './open-page';

describe('the wall of the demo', () => {
  const demo = useDemo();
  const wall = () => demo.panel('wall');
  const tiles = (noun: string) => wall().locator(`.wall-${noun}`);
  const isWhole = () => wall().locator('.wall-map:enabled').nth(1).waitFor();
  const open = async (query = '') => {
    await demo.page.goto(`${demo.address}${query}`);
    await isWhole();
  };
  const samples = async () => (await sentJobs(demo.page)).filter(({ kind }) => kind === 'sample');
  /** The levels of a tile of black and white, from its canvas. */
  const levelsOf = async (noun: string, place: number) => {
    const { data, width, height } = await pictureOf(tiles(noun).nth(place).locator('canvas'));
    const isInk = (i: number) => data[4 * i + 3] === 255 && (data[4 * i + 2] ?? 0) < 30; // neither blank nor the mark
    return Array.from({ length: width * height }, (_, i) => Number(isInk(i)));
  };

  it('is drawn from the date, by the models, and others from another seed, which its address keeps', async () => {
    await demo.page.clock.setFixedTime(new Date(2026, 10, 29, 12));
    await open();
    expect(await wall().getByText('The seed is the date, 20261129.').isVisible()).toBe(true);
    expect((await samples()).map(({ model, seed }) => [model, seed])).toEqual([
      ['syllables-16', 20261129],
      ['characters-small', 20261129],
      ['tiles', 20261129],
    ]);
    const numImages = (await tiles('character').count()) + 3; // some to spare
    const { data } = await sample(await shippedModel('characters-small'), { numImages, seed: 20261129, temperature: 0.9 });
    expect(await levelsOf('character', 2)).toEqual([...data.slice(2 * 576, 3 * 576)]);
    expect(demo.page.url()).toBe(demo.address);

    const before = await levelsOf('character', 0);
    await button(wall(), 'Draw others').click();
    await eventually(async () => (await samples()).length).toBe(6);
    await isWhole();
    expect(await levelsOf('character', 0)).not.toEqual(before);
    const shown = await pixels(tiles('map').first().locator('canvas'));
    const link = demo.page.url();
    expect(link).toMatch(/#wall\?seed=\d+$/);
    await demo.page.goto('about:blank');
    await open(new URL(link).hash);
    expect(await pixels(tiles('map').first().locator('canvas'))).toBe(shown);
  });

  it('shows the syllable that each was asked for, also in words', async () => {
    await open('#wall?seed=5');
    const [job] = await samples();
    const { classes } = job as unknown as { classes: number[] };
    const names = await tiles('syllable').evaluateAll((all) => all.map((tile) => tile.getAttribute('aria-label')));
    const asked = classes.map((k) => `syllable ${String.fromCharCode(0xac00 + k)}`);
    expect(asked.filter((name) => names.includes(name)).slice(0, names.length)).toEqual(names); // all but those that stay blank
    expect(new Set(names).size).toBeGreaterThan(10);
  });

  it('leads on to a character to be drawn by hand from its middle, and to a map to be painted', async () => {
    await open('#wall?seed=5');
    const levels = await levelsOf('character', 1);
    await tiles('character').nth(1).click();
    const drawing = demo.panel('drawing');
    await drawing.locator('.likeliest').waitFor();
    await drawing.getByRole('img', { name: 'The picture: 288 of 576 pixels are drawn' }).waitFor();
    expect(new URL(demo.page.url()).hash).toMatch(/^#drawing\?model=characters&values=/);
    const [values] = (await sentJobs(demo.page)).flatMap(({ kind, levels }) => (kind === 'likelihood' ? [levels] : []));
    expect(Object.values(values as object).slice(0, 288)).toEqual(levels.slice(0, 288));

    await tiles('syllable').nth(3).click();
    await drawing.getByRole('img', { name: 'The picture: 128 of 256 pixels are drawn' }).waitFor();
    await tiles('map').nth(1).click();
    await demo.panel('maps').getByText('The map you asked for.').waitFor();
  });

  it('goes from picture to picture by arrow keys: the Tab key finds one', async () => {
    await open('#wall?seed=5');
    expect(await wall().locator('.wall-tile[tabindex="0"]').count()).toBe(1);
    await tiles('syllable').first().focus();
    for (const key of ['ArrowRight', 'ArrowDown', 'ArrowLeft']) await demo.page.keyboard.press(key);
    const focused = () => demo.page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    expect(await focused()).toBe(await tiles('syllable').nth(1).getAttribute('aria-label'));
    expect(await wall().locator('.wall-tile[tabindex="0"]').count()).toBe(1);
    await demo.page.keyboard.press('Enter');
    await eventually(() => new URL(demo.page.url()).hash).toMatch(/^#drawing\?model=syllables-16&class=\d+&values=/);
  });

  it('says which seed is wrong, and draws that of the date', async () => {
    await open('#wall?seed=abc');
    expect(await wall().getByText('seed (wanted 0 to 999999999, got “abc”)').isVisible()).toBe(true);
    expect(await wall().getByText('The seed is the date').isVisible()).toBe(true);
  });
});
