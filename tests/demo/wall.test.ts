import { sample } from 'pixelcnn-layers/runtime';
import { describe, expect, it } from 'vitest';
import { syllableOf } from '../../demo/panels/wall.mjs';
import { levelsOfText } from '../../demo/parts/levels-text.mjs';
import { randomOf } from '../../demo/parts/random.mjs';
import { shippedModel } from '../support/models/shipped';
import { eventually, pictureOf, sentJobs, useDemo } from './open-page';

const [MOUNTAIN, SNOW] = [5, 6];
const codeOf = (syllable: string) => syllable.charCodeAt(0) - 0xac00;

it('asks for no syllable that insults, on any date of two years', () => {
  for (const date = new Date(2026, 0, 1); date < new Date(2028, 0, 1); date.setDate(date.getDate() + 1)) {
    const random = randomOf(10_000 * date.getFullYear() + 100 * (date.getMonth() + 1) + date.getDate());
    const asked = Array.from({ length: 21 }, () => syllableOf(random));
    for (const insult of [...'년놈똥뻑쌍썅씹엿좃'].map(codeOf)) expect(asked).not.toContain(insult);
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
    await open();
    expect(await wall().getByText('Today’s wall.').isVisible()).toBe(true);
    expect((await samples()).map(({ model, seed }) => [model, seed])).toEqual([
      ['syllables-16', 20261129],
      ['characters-small', 20261129],
      ['tiles', 20261129],
    ]);
    const numImages = (await tiles('character').count()) + 3; // some to spare
    const { data } = await sample(await shippedModel('characters-small'), { numImages, seed: 20261129, temperature: 0.9 });
    expect(await levelsOf('character', 2)).toEqual([...data.slice(2 * 576, 3 * 576)]);
    await demo.page.evaluate(() => location.assign('#wall?seed=5'));
    await eventually(async () => (await samples()).map(({ seed }) => seed).slice(3)).toEqual([5, 5, 5]);
    expect(await wall().getByText('Wall 5.').isVisible()).toBe(true);

    await demo.page.clock.runFor(9000);
    expect(await samples()).toHaveLength(6); // who wants less motion sees none
    await demo.page.emulateMedia({ reducedMotion: 'no-preference' });
    await eventually(async () => {
      await demo.page.clock.runFor(1000);
      return (await samples()).length;
    }).toBe(7);
    expect((await samples())[6]).toMatchObject({ numImages: 4 });
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

  it('leads on to a character to be drawn by hand from its middle', async () => {
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
  });

  it('has a map that grows around what is painted while the hand is there, to go on with', async () => {
    await open('#wall?seed=5');
    const { x, y, width } = (await map().boundingBox()) as { x: number; y: number; width: number };
    await demo.page.mouse.move(x + width / 2, y + width / 2);
    await demo.page.mouse.down();
    await eventually(async () => (await samples()).length).toBeGreaterThan(3);
    await wall()
      .getByText(/^Drawn in|left after/)
      .waitFor({ state: 'attached' });
    await wall()
      .getByRole('link', { name: 'Paint with all tiles' })
      .evaluate((link: HTMLElement) => link.click());
    await demo.panel('maps').getByText('The map you asked for.').waitFor();
    const query = new URLSearchParams(new URL(demo.page.url()).hash.split('?')[1]);
    const found = levelsOfText(query.get('tiles') ?? '', { levels: 12, size: 1024 }) ?? [];
    expect(found[16 * 32 + 16]).toBe(SNOW);
    for (const place of [15 * 32 + 16, 16 * 32 + 15]) expect([MOUNTAIN, SNOW]).toContain(found[place]);
  });

  it('goes from picture to picture by arrow keys, as they hang: the Tab key finds one', async () => {
    await open('#wall?seed=5');
    expect(await wall().locator('.wall-tile[tabindex="0"]').count()).toBe(1);
    await tiles('syllable').first().focus();
    for (const key of ['ArrowRight', 'ArrowDown', 'ArrowLeft', 'ArrowLeft']) await demo.page.keyboard.press(key);
    const focused = () => demo.page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    expect(await focused()).toBe(await tiles('syllable').nth(6).getAttribute('aria-label'));
    expect(await wall().locator('.wall-tile[tabindex="0"]').count()).toBe(1);
    await demo.page.keyboard.press('Enter');
    await eventually(() => new URL(demo.page.url()).hash).toMatch(/^#drawing\?model=syllables-16&class=\d+&values=/);
  });

  it('says which seed is wrong, and draws that of the date', async () => {
    await open('#wall?seed=abc');
    expect(await wall().getByText('seed (wanted 0 to 999999999, got “abc”). Today’s wall.').isVisible()).toBe(true);
  });
});
