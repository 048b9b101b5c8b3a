import { readFile } from 'node:fs/promises';
import { PNG } from 'pngjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { chromiumPath } from '../support/chromium.mjs';
import {
  button,
  eventually,
  focusedAfterFrames,
  pixels,
  says,
  status,
  tensorCounts,
  useDemo,
} from './demo-page';

describe.skipIf(chromiumPath === undefined)('sampling in the demo', () => {
  const demo = useDemo();
  const sampling = () => demo.panel('sampling');
  const figures = () => sampling().locator('dl').textContent();

  beforeEach(async () => {
    await demo.page.goto(demo.address);
    await sampling().scrollIntoViewIfNeeded();
    await says(sampling(), 'Drew 16 images on wasm');
  });

  it('draws what is asked for, the same for the same seed, and says what it took', async () => {
    const canvas = sampling().locator('canvas');
    const first = await pixels(canvas);
    await sampling().getByLabel('Seed', { exact: true }).fill('2');
    await sampling().getByLabel('Seed', { exact: true }).press('Enter');
    await eventually(() => pixels(canvas)).not.toBe(first);
    await sampling().getByLabel('Seed', { exact: true }).fill('1');
    await button(sampling(), 'Draw').press('Space');
    await eventually(() => pixels(canvas)).toBe(first);
    await says(sampling(), 'Drew 16');
    await eventually(() =>
      button(sampling(), 'Draw').evaluate((draw) => draw === document.activeElement),
    ).toBe(true);
    expect(await figures()).toMatch(/Time taken[\d.]+ m?s/);
    expect(await figures()).toMatch(
      /≈ [\d.]+ m?san estimate: one warm pass, [\d.]+ m?s here, times 64 values/,
    );

    const counts = await tensorCounts(demo.page, 'passSeconds');
    expect(new Set(counts.slice(-3)).size).toBe(1);
    demo.expectClean();
  });

  it('takes classes, temperature and top-k, and gives a PNG', async () => {
    expect(await sampling().getByLabel('Class').isVisible()).toBe(false);
    await sampling().getByLabel('Model', { exact: true }).selectOption('Digits by class');
    await sampling().getByLabel('Class', { exact: true }).selectOption('3');
    await sampling().getByLabel('Images', { exact: true }).fill('4');
    await sampling().getByLabel('Temperature').fill('0');
    await sampling().getByLabel('Top-k').fill('1');
    expect(await sampling().getByText('the likeliest level').isVisible()).toBe(true);
    await button(sampling(), 'Draw').click();
    await says(sampling(), 'Drew 4 images');

    const download = demo.page.waitForEvent('download');
    await button(sampling(), 'Download PNG').click();
    const file = await download;
    expect(file.suggestedFilename()).toBe('digits-conditional.png');
    const { width, height, data } = PNG.sync.read(await readFile(await file.path()));
    const rows = data.length / height;
    const tile = (column: number) =>
      Array.from({ length: 128 }, (_, y) => [
        ...data.subarray(
          (13 + y) * rows + 4 * (13 + 141 * column),
          (13 + y) * rows + 4 * (141 + 141 * column),
        ),
      ]);
    expect([width, height]).toEqual([295, 295]);
    expect(tile(0)).toEqual(tile(1)); // the likeliest three, twice
    expect(new Set(tile(0).flat()).size).toBeGreaterThan(2);
    demo.expectClean();
  });

  it('stops when cancelled, and draws again', async () => {
    await sampling().getByLabel('Model', { exact: true }).selectOption('Emoji');
    await sampling().getByLabel('Images', { exact: true }).fill('64');
    await button(sampling(), 'Draw').click();
    await button(sampling(), 'Cancel').press('Enter');
    await says(sampling(), 'Cancelled');
    expect(await button(sampling(), 'Cancel').isDisabled()).toBe(true);
    expect(await sampling().getByRole('img').getAttribute('aria-label')).toBe('Not drawn to the end');
    expect(await focusedAfterFrames(demo.page)).toBe('Draw');
    await sampling().getByLabel('Images', { exact: true }).fill('2');
    await button(sampling(), 'Draw').click();
    await says(sampling(), 'Drew 2 images on wasm');
    demo.expectClean();
  });

  it('shows rows as they are drawn', async () => {
    await sampling().getByLabel('Model', { exact: true }).selectOption('Emoji');
    await sampling().getByLabel('Images', { exact: true }).fill('64');
    await button(sampling(), 'Draw').click();
    await says(sampling(), 'Drew 64');
    const done = await demo.page.evaluate(() => {
      const { answers } = globalThis as unknown as {
        answers: { id: number; report?: { done: number; levels: { length: number } } }[];
      };
      return answers.flatMap(({ report }) => (report?.levels.length === 64 * 768 ? [report.done] : []));
    });
    const rows = done.map((values) => values / 48);
    expect(rows.some((row) => row > 0 && row < 16)).toBe(true);
    expect(rows.at(-1)).toBe(16);
    expect(rows.every(Number.isInteger)).toBe(true);
  });

  it('gives images before it times a pass, and keeps them where that is cancelled', async () => {
    await sampling().getByLabel('Model', { exact: true }).selectOption('Emoji');
    await sampling().getByLabel('Backend').selectOption('cpu');
    await button(sampling(), 'Draw').click();
    await sampling().getByText('timing a whole pass').waitFor();
    const drawn = await pixels(sampling().locator('canvas'));
    await button(sampling(), 'Cancel').click();
    await says(sampling(), 'Drew 16 images on cpu');
    expect(await pixels(sampling().locator('canvas'))).toBe(drawn);
    expect(await figures()).toMatch(/Time taken[\d.]+ m?s.*By whole passes–not timed/);
    expect(await button(sampling(), 'Download PNG').isEnabled()).toBe(true);
  });

  it('shows slowly what was drawn fast, and has a new seed at hand', async () => {
    const canvas = sampling().locator('canvas');
    await button(sampling(), 'New seed').click();
    await says(sampling(), 'Drew 16');
    const seed = await sampling().getByLabel('Seed', { exact: true }).inputValue();
    expect(seed).not.toBe('1');
    const drawn = await pixels(canvas);
    await sampling().getByLabel('slowly').check();
    await button(sampling(), 'Draw').click();
    const stages = new Set<string>();
    await eventually(async () => {
      stages.add(await pixels(canvas));
      return await status(sampling()).textContent();
    }).toMatch('Drew 16');
    expect(stages.size).toBeGreaterThan(5);
    expect(await pixels(canvas)).toBe(drawn);
    await button(sampling(), 'Draw').click();
    await sampling().getByText('shown slowed down').waitFor();
    await button(sampling(), 'Cancel').click();
    await says(sampling(), 'Drew 16');
    expect(await pixels(canvas)).toBe(drawn);
    demo.expectClean();
  });

  it('does not draw what a browser would not take', async () => {
    await sampling().getByLabel('Images', { exact: true }).fill('65');
    await button(sampling(), 'Draw').click();
    expect(
      await sampling()
        .getByLabel('Images', { exact: true })
        .evaluate((field: HTMLInputElement) => field.validity.rangeOverflow),
    ).toBe(true);
    expect(await status(sampling()).textContent()).toMatch('Drew 16');
  });

  it('runs on cpu too', async () => {
    await sampling().getByLabel('Images', { exact: true }).fill('1');
    await sampling().getByLabel('Backend').selectOption('cpu');
    await button(sampling(), 'Draw').click();
    await says(sampling(), 'Drew 1 image on cpu');
    demo.expectClean();
  });
});
