import { beforeEach, describe, expect, it } from 'vitest';
import { chromiumPath } from '../support/chromium.mjs';
import { button, colourAt, eventually, pixels, says, status, tensorCounts, useDemo } from './demo-page';

describe.skipIf(chromiumPath === undefined)('images of the demo', () => {
  const demo = useDemo();

  describe('completing', () => {
    const completing = () => demo.panel('completing');
    const grid = () => completing().getByRole('application', { name: 'Image to complete' });
    const readout = () => completing().locator('.readout').textContent();
    const variants = () => completing().getByRole('img');
    const focused = () => demo.page.evaluate(() => document.activeElement?.textContent);

    beforeEach(async () => {
      await demo.page.goto(demo.address);
      await completing().scrollIntoViewIfNeeded();
      await says(completing(), 'Six ways');
    });

    it('rubs out and paints by keys, and fills in the rest only', async () => {
      await button(completing(), 'Reset').click();
      expect(await button(completing(), 'Fill in').isDisabled()).toBe(true);
      expect(await button(completing(), 'Reset').isDisabled()).toBe(true);
      await grid().focus();
      for (const key of ['ArrowRight', 'ArrowDown', 'ArrowDown', 'ArrowLeft', 'ArrowLeft'])
        await demo.page.keyboard.press(key);
      expect(await readout()).toMatch(/^Row 2, column 0: level \d+ of 0 to 16$/);
      await demo.page.keyboard.press('Space');
      expect(await readout()).toBe('Row 2, column 0: rubbed out');
      await demo.page.keyboard.press('Space');
      expect(await readout()).toMatch('level');
      await demo.page.keyboard.press('Space');
      await completing().getByLabel('ink', { exact: true }).check();
      await grid().focus();
      await demo.page.keyboard.press('Home');
      await demo.page.keyboard.press('ArrowUp');
      await demo.page.keyboard.press('Space');
      expect(await readout()).toBe('Row 1, column 0: level 16 of 0 to 16');

      await button(completing(), 'Fill in').click();
      await says(completing(), 'Six ways');
      // The first pixel of the second row of the first variant: its tile begins at 13 of 436, and a pixel is 16 wide.
      expect(await colourAt(variants(), (13 + 8) / 436, (13 + 24) / 295)).toEqual([24, 24, 24, 255]);
      demo.expectClean();
    });

    it('rubs out by pointer, in strokes, and all at once', async () => {
      await button(completing(), 'Reset').click();
      await grid().scrollIntoViewIfNeeded();
      const box = await grid().boundingBox();
      if (box === null) throw new Error('the grid is not seen');
      const cell = box.width / 8;
      await demo.page.mouse.move(box.x + cell / 2, box.y + cell / 2);
      await demo.page.mouse.down();
      await demo.page.mouse.move(box.x + 7.5 * cell, box.y + cell / 2, { steps: 20 });
      expect(await readout()).toBe('Row 0, column 7: rubbed out');
      await demo.page.mouse.up();
      await grid().focus();
      for (const column of [6, 5, 4, 3, 2, 1, 0]) {
        await demo.page.keyboard.press('ArrowLeft');
        expect(await readout()).toBe(`Row 0, column ${column}: rubbed out`);
      }
      const before = await pixels(variants());
      await button(completing(), 'Rub out all').click();
      await button(completing(), 'Fill in').click();
      await eventually(() => pixels(variants())).not.toBe(before);
      await says(completing(), 'Six ways');
      demo.expectClean();
    });

    it('leaves no gap in a stroke that is faster than the events of the pointer', async () => {
      await button(completing(), 'Reset').click();
      await grid().scrollIntoViewIfNeeded();
      const box = await grid().boundingBox();
      if (box === null) throw new Error('the grid is not seen');
      const cell = box.width / 8;
      await demo.page.mouse.move(box.x + cell / 2, box.y + cell / 2);
      await demo.page.mouse.down();
      await demo.page.mouse.move(box.x + 7.5 * cell, box.y + 7.5 * cell); // at once
      await demo.page.mouse.up();
      await grid().focus();
      for (let at = 7; at >= 0; at--) {
        expect(await readout()).toBe(`Row ${at}, column ${at}: rubbed out`);
        await demo.page.keyboard.press('ArrowUp');
        if (at > 0) expect(await readout()).toMatch('level');
        await demo.page.keyboard.press('ArrowLeft');
      }
    });

    it('says nothing of an image that is gone, and keeps the keyboard where it was', async () => {
      await button(completing(), 'Reset').press('Enter');
      expect(await focused()).toBe('Rub out the lower half');
      await button(completing(), 'Next').click();
      await completing().getByText('2 of 297').waitFor();
      expect(await status(completing()).textContent()).toBe('');
      expect(await variants().getAttribute('aria-label')).toBe('No completions yet');
    });

    it('completes emoji', async () => {
      await completing().getByLabel('Emoji').check();
      await completing().getByText('108 of 191').waitFor();
      await button(completing(), 'Previous').click();
      await completing().getByText('107 of 191').waitFor();
      expect(await completing().getByLabel('orange', { exact: true }).count()).toBe(1);
      await button(completing(), 'Rub out the lower half').click();
      await button(completing(), 'Fill in').click();
      await says(completing(), 'Six ways');
      await button(completing(), 'Fill in').click();
      await says(completing(), 'Six ways');
      const counts = await tensorCounts(demo.page);
      expect(counts.at(-1)).toBe(counts.at(-2));
      demo.expectClean();
    });
  });

  describe('how likely', () => {
    const likelihood = () => demo.panel('likelihood');
    const map = () => likelihood().getByRole('application', { name: 'Bits of each pixel' });
    const readout = () => likelihood().locator('.map .readout').textContent();
    const headline = () => likelihood().locator('.headline').textContent();
    const bitsOf = (text: string | null) => Number(text?.match(/(\d+\.\d+) bits/)?.[1]);

    beforeEach(async () => {
      await demo.page.goto(demo.address);
      await likelihood().scrollIntoViewIfNeeded();
      await eventually(headline).toMatch(/^\d/);
    });

    it('tells the bits of the image and of each pixel', async () => {
      await map().focus();
      let sum = 0;
      for (let row = 0; row < 8; row++) {
        for (let column = 0; column < 8; column++) {
          sum += bitsOf(await readout());
          await demo.page.keyboard.press('ArrowRight');
        }
        await demo.page.keyboard.press('Home');
        await demo.page.keyboard.press('ArrowDown');
      }
      expect(Math.abs(sum / 64 - bitsOf(await headline()))).toBeLessThan(0.02);
      expect(await headline()).toMatch(/Knowing nothing takes 262/);
      expect(await likelihood().getByText('uniform 4.1').isVisible()).toBe(true);
      demo.expectClean();
    });

    it('shows what was expected at a pixel: the most surprising, or the one pointed at', async () => {
      const title = () => likelihood().locator('.levels h3').textContent();
      const words = () => likelihood().locator('.levels').getByRole('img').first().getAttribute('aria-label');
      const place = (text: string | null) =>
        text
          ?.match(/row (\d), column (\d)/i)
          ?.slice(1)
          .map(Number);
      const [row = 0, column = 0] = place(await title()) ?? [];
      await map().focus();
      const bits: number[][] = [];
      for (let y = 0; y < 8; y++) {
        await demo.page.keyboard.press('Home');
        bits.push([]);
        for (let x = 0; x < 8; x++) {
          bits.at(-1)?.push(bitsOf(await readout()));
          expect(place(await title())).toEqual([y, x]);
          await demo.page.keyboard.press('ArrowRight');
        }
        await demo.page.keyboard.press('ArrowDown');
      }
      const most = bits[row]?.[column] ?? 0;
      expect(most).toBe(Math.max(...bits.flat()));

      const editor = likelihood().getByRole('application', { name: 'Image to measure' });
      await editor.focus();
      await demo.page.keyboard.press('Home');
      for (let y = 0; y < row; y++) await demo.page.keyboard.press('ArrowDown');
      for (let x = 0; x < column; x++) await demo.page.keyboard.press('ArrowRight');
      expect(place(await title())).toEqual([row, column]);
      const [, level, percent] =
        (await words())?.match(/^Level (\d+) \(([\d.]+)%\); likeliest \d+ \(\d+%\)/) ?? [];
      expect(await likelihood().locator('.editor .readout').textContent()).toContain(`level ${level} of`);
      expect(Math.abs(Number(percent) - 100 * 2 ** -most)).toBeLessThan(0.1);
    });

    it('measures again what is drawn by hand', async () => {
      const before = bitsOf(await headline());
      await button(likelihood(), 'Blank').click();
      await eventually(async () => bitsOf(await headline())).not.toBe(before);
      const blank = bitsOf(await headline());
      await likelihood().getByRole('application', { name: 'Image to measure' }).focus();
      await demo.page.keyboard.press('Space');
      await eventually(async () => bitsOf(await headline())).toBeGreaterThan(blank);
      await button(likelihood(), 'Reset').click();
      await eventually(async () => bitsOf(await headline())).toBe(before);
      expect(await button(likelihood(), 'Reset').isDisabled()).toBe(true);
      expect(new Set(await tensorCounts(demo.page, 'bits')).size).toBe(1);
      demo.expectClean();
    });

    it('tells the bits by channel', async () => {
      await likelihood().getByLabel('Emoji').check();
      await eventually(headline).toMatch(/768 values/);
      await map().focus();
      const [mean, ...channels] = (await readout())?.match(/\d+\.\d+/g)?.map(Number) ?? [];
      expect(channels.length).toBe(3);
      expect(channels.reduce((sum, bits) => sum + bits, 0) / 3).toBeCloseTo(mean ?? 0, 1);
      await likelihood().getByLabel('Green', { exact: true }).check();
      await map().focus();
      expect(bitsOf(await readout())).toBe(channels[1]);
      demo.expectClean();
    });
  });

  it('shows what was asked for last, when what was asked for before comes late', async () => {
    const late: (() => void)[] = [];
    await demo.page.route('**/_virtual_emoji-*.js', async (route) => {
      await new Promise<void>((resolve) => late.push(resolve));
      await route.continue();
    });
    await demo.open('completing');
    const completing = demo.panel('completing');
    await says(completing, 'Six ways');
    await completing.getByLabel('Emoji').check();
    await completing.getByLabel('Digits').check();
    await completing.getByText('1 of 297').waitFor();
    await eventually(() => late.length).toBe(1);
    const arrived = demo.page.waitForResponse('**/_virtual_emoji-*.js');
    late[0]?.();
    await (await arrived).finished();
    await demo.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 100)));
    expect(await completing.getByLabel('Digits').isChecked()).toBe(true);
    expect(await completing.getByText('1 of 297').isVisible()).toBe(true);
    await button(completing, 'Rub out the lower half').click();
    await button(completing, 'Fill in').click();
    await says(completing, 'Six ways');
    demo.expectClean();
  });
});
