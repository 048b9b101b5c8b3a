import { beforeEach, describe, expect, it } from 'vitest';
import { shippedImages } from '../support/models/shipped';
import { button, colourAt, eventually, pictureOf, pixels, says, sentJobs, status, useDemo } from './open-page';

describe('completing in the demo', () => {
  const demo = useDemo();
  const completing = () => demo.panel('completing');
  const grid = () => completing().getByRole('application', { name: 'Picture to complete' });
  const readout = () => completing().locator('.readout').textContent();
  const variants = () => completing().getByRole('img');
  const reads = (words: RegExp) => completing().getByText(words).waitFor();
  const focused = () => demo.page.evaluate(() => document.activeElement?.textContent);
  /** The pictures one by one, as text. */
  const tiles = () =>
    variants().evaluate((canvas: HTMLCanvasElement) => {
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
      copy?.drawImage(canvas, 0, 0);
      const [gap, side] = [13, 128]; // of 8 pixels, each 16 wide
      return Array.from({ length: Number(canvas.dataset['images']) }, (_, i) => {
        const [x, y] = [gap + (i % 3) * (side + gap), gap + Math.floor(i / 3) * (side + gap)];
        return copy?.getImageData(x, y, side, side).data.join();
      });
    });
  /** What this panel has asked its worker to draw, in turn: six at a time, as no other panel does. */
  const jobs = async () => (await sentJobs(demo.page)).filter(({ kind, numImages }) => kind === 'sample' && numImages === 6);
  const lookAhead = () => completing().getByLabel('Fit what lies below the gap?');

  beforeEach(async () => {
    await demo.open('completing', 'model=digits-conditional&image=1');
    await completing().getByText('1 of 297: a 0').waitFor();
    await says(completing(), 'Six ways');
  });

  it('rubs out and paints by keys, and fills in the rest only', async () => {
    await button(completing(), 'Reset').click();
    for (const name of ['Fill in', 'Reset']) expect(await button(completing(), name).isDisabled()).toBe(true);
    await grid().focus();
    for (const key of ['ArrowRight', 'ArrowDown', 'ArrowDown', 'ArrowLeft', 'ArrowLeft']) await demo.page.keyboard.press(key);
    expect(await readout()).toMatch(/^Row 3, column 1: (white|black|\d+% grey)$/);
    await demo.page.keyboard.press('Space'); // and once more, which brings nothing back
    for (const row of [2, 3, 4]) {
      await demo.page.keyboard.press('Space');
      expect(await readout()).toBe(`Row ${row + 1}, column 1: rubbed out`);
      await demo.page.keyboard.press('ArrowDown');
    }
    await completing().getByLabel('ink', { exact: true }).check();
    await grid().focus();
    await demo.page.keyboard.press('Home');
    for (let row = 5; row > 1; row--) await demo.page.keyboard.press('ArrowUp');
    await demo.page.keyboard.press('Space');
    expect(await readout()).toBe('Row 2, column 1: black');

    await button(completing(), 'Fill in').click();
    await says(completing(), /to go on/);
    // The first pixel of the second row of the first variant: its tile begins at 13 of 436, and a pixel is 16 wide.
    const { width, height } = await variants().evaluate(({ width, height }: HTMLCanvasElement) => ({ width, height }));
    expect(await colourAt(variants(), (13 + 8) / width, (13 + 24) / height)).toEqual([24, 24, 24, 255]);
  });

  it('rubs out by pointer, without gaps in a stroke that is faster than its events, and all at once', async () => {
    await button(completing(), 'Reset').click();
    await grid().scrollIntoViewIfNeeded();
    const box = (await grid().boundingBox()) as { x: number; y: number; width: number };
    const cell = box.width / 8;
    await demo.page.mouse.move(box.x + cell / 2, box.y + cell / 2);
    await demo.page.mouse.down();
    await demo.page.mouse.move(box.x + 7.5 * cell, box.y + 7.5 * cell); // at once
    await demo.page.mouse.up();
    await grid().focus();
    for (let at = 7; at >= 0; at--) {
      expect(await readout()).toBe(`Row ${at + 1}, column ${at + 1}: rubbed out`);
      await demo.page.keyboard.press('ArrowUp');
      if (at > 0) expect(await readout()).toMatch(/white|black|grey/);
      await demo.page.keyboard.press('ArrowLeft');
    }
    const before = await pixels(variants());
    await button(completing(), 'Rub out all').click(); // which fills in
    await eventually(() => pixels(variants())).not.toBe(before);
    await says(completing(), 'Six ways');
  });

  it('draws six that differ, and outlines what it drew where that is wanted; says so where fewer ways can be found', async () => {
    await button(completing(), 'Fill in').click();
    await says(completing(), 'Six ways');
    expect(new Set(await tiles()).size).toBe(6);
    expect(await variants().getAttribute('aria-label')).toMatch(/^Completions: 6, seed \d+$/);
    // The line above row 4 of the first variant, which is the first that was drawn.
    const line = () => colourAt(variants(), (13 + 8) / 436, (13 + 4 * 16) / 295);
    const [red, , blue] = await line();
    expect(blue).toBeGreaterThan((red ?? 0) + 50); // of the page's accent
    await completing().getByLabel('Outline what was drawn').uncheck();
    const [plainRed, , plainBlue] = await line();
    expect(plainBlue).toBe(plainRed); // a grey of the digit
    await button(completing(), 'Reset').click();
    await grid().focus();
    await demo.page.keyboard.press('Space'); // a corner, which is paper in nearly all digits
    await button(completing(), 'Fill in').click();
    await says(completing(), /^Ways to go on: [1-5]; no other came up in 30 tries\.$/);
    const shown = await tiles();
    expect(new Set(shown).size).toBe(shown.length);
  });

  it('looks ahead to what is kept below, where that is wanted, and loads a model of all orders only for the other halves', async () => {
    expect(await lookAhead().isVisible()).toBe(false); // nothing is kept below
    await button(completing(), 'Rub out a band').click();
    await reads(/^Without it, a pixel fits what lies above/);
    await says(completing(), /to go on/);
    await lookAhead().selectOption({ label: 'yes, with 16 tries' });
    await button(completing(), 'Fill in').click();
    await says(completing(), /to go on/);
    expect((await jobs()).at(0)).not.toHaveProperty('lookAhead');
    expect((await jobs()).at(-1)).toMatchObject({ model: 'digits-conditional', lookAhead: 16, classes: [0, 0, 0, 0, 0, 0] });
    const loads = () => demo.seen.requests.filter((url) => url.includes('digits-orders'));
    expect(loads()).toEqual([]);
    await button(completing(), 'Rub out the left half').click();
    await reads(/^Drawn from right to left, so that all pixels kept/);
    expect(await lookAhead().isDisabled()).toBe(true);
    await says(completing(), 'Six ways');
    expect(loads()).toHaveLength(1);
    expect((await jobs()).at(-1)).toMatchObject({ model: 'digits-orders' });
    expect((await jobs()).at(-1)).not.toHaveProperty('classes');
    await button(completing(), 'Rub out a band').click();
    await says(completing(), /to go on/);
    expect(await lookAhead().isDisabled()).toBe(false);
    await grid().focus();
    await demo.page.keyboard.press('Space');
    await says(completing(), 'The picture has changed since');
  });

  it('keeps what is rubbed out for the next image, and says nothing of one that is gone', async () => {
    await button(completing(), 'Rub out a band').click();
    await says(completing(), 'to go on');
    await button(completing(), 'Next').click();
    await completing().getByText('2 of 297: a 4').waitFor();
    expect(await status(completing()).textContent()).toBe('');
    expect(await variants().getAttribute('aria-label')).toBe('No completions yet');
    await grid().focus();
    const rows: boolean[] = [];
    for (let row = 0; row < 8; row++) {
      rows.push((await readout())?.endsWith('rubbed out') ?? false);
      await demo.page.keyboard.press('ArrowDown');
    }
    expect(rows).toEqual([false, false, true, true, false, false, false, false]);
    await button(completing(), 'Reset').press('Enter');
    expect(await focused()).toBe('Rub out the lower half'); // Reset is off now
  });

  it('takes the class that is chosen', async () => {
    await completing().getByLabel('Class given to the model').selectOption('7');
    expect(await completing().getByText('This is not its label.').isVisible()).toBe(true);
    await eventually(async () => (await jobs()).at(-1)).toMatchObject({ classes: [7, 7, 7, 7, 7, 7] });
    await says(completing(), 'Six ways');
    await button(completing(), 'Previous').click();
    await completing().getByText('297 of 297').waitFor();
    expect(await completing().getByText('This is its label.').isVisible()).toBe(true);
  });

  it('completes a character from its left half column by column, and keeps that half', async () => {
    await demo.open('completing', 'model=characters&image=1');
    await completing().getByText('1 of 60').waitFor();
    await says(completing(), 'Six ways');
    await reads(/^Drawn from left to right, so that all pixels kept/);
    expect((await jobs()).at(-1)).toMatchObject({ model: 'characters-columns' });
    expect((await jobs()).at(-1)).not.toHaveProperty('classes');
    expect(await completing().getByLabel('Class given to the model').isVisible()).toBe(false);
    await grid().focus();
    await demo.page.keyboard.press('Space');
    await demo.page.keyboard.press('ArrowRight');
    expect(await readout()).toBe('Row 1, column 2: rubbed out'); // where pixels are small, those around go too
    const images = await shippedImages('characters');
    const { width, data } = await pictureOf(variants());
    // Of the first of six: its tile begins at 12 of 120 and 12 more a picture, and a pixel is 5 wide.
    const isInk = (row: number, column: number) => (data[4 * ((12 + 5 * row + 2) * width + 12 + 5 * column + 2)] as number) < 128;
    const wanted = (row: number, column: number) => images[24 * row + column] === 1;
    const places = [...Array(24 * 24).keys()].map((i) => [Math.floor(i / 24), i % 24] as const);
    const differ = places.filter(([row, column]) => isInk(row, column) !== wanted(row, column));
    expect(differ.filter(([, column]) => column < 12)).toEqual([]);
    expect(differ.length).toBeGreaterThan(0);
  });
});
