import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { logProb, readPortable } from 'pixelcnn-layers/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { chromiumPath } from '../support/chromium.mjs';
import { button, eventually, recordJobs, sentJobs, stopClock, useDemo } from './demo-page';

const at = (path: string) => fileURLToPath(new URL(`../../examples/${path}`, import.meta.url));

describe.skipIf(chromiumPath === undefined)('classifying in the demo', () => {
  const demo = useDemo();
  const panel = () => demo.panel('classifying');
  const grid = () => panel().getByRole('application', { name: 'Image to classify' });
  const headline = () => panel().locator('.headline').textContent();
  const bits = async () => (await panel().locator('.class-bits').allTextContents()).map((text) => Number.parseInt(text, 10)); // biome-ignore format: one line
  const chances = () => panel().locator('.class-chance').allTextContents();
  const asked = async () => (await sentJobs(demo.page)).filter(({ kind }) => kind === 'classify').length;

  beforeEach(async () => {
    await demo.page.addInitScript(recordJobs);
    await demo.open('classifying');
    await eventually(headline).toMatch(/^Likeliest: a 0/);
  });

  it('says for each class how likely the image is, as the library does', async () => {
    const model = await readPortable(await readFile(at('models/digits-conditional.pixelcnn')));
    const image = new Uint8Array(await readFile(at('data/digits-test-images.u8'))).slice(0, 64);
    const data = Uint8Array.from({ length: 640 }, (_, i) => image[i % 64] ?? 0);
    const condition = Array.from({ length: 10 }, (_, k) => k);
    const nats = await logProb(model, { data, shape: [10, 8, 8, 1] }, { condition });
    expect(await bits()).toEqual([...nats].map((value) => Math.round(-value / Math.LN2)));
    expect(await chances()).toEqual(['> 99.9%', ...Array(9).fill('< 0.1%')]);
    expect(await headline()).toMatch(
      /^Likeliest: a 0 > 99\.9% sure\. It takes 1\.\d\d bits per dimension; 95% of the test images take 1\.22 to 2\.24\.$/,
    );
    expect(await panel().locator('.class-bars .present').textContent()).toMatch(/^0/);
    demo.expectClean();
  });

  it('measures what is drawn, once after a stroke', async () => {
    await button(panel(), 'Clear and draw').click();
    await eventually(headline).not.toMatch(/^Likeliest: a 0 > 99/);
    await grid().scrollIntoViewIfNeeded();
    const box = await grid().boundingBox();
    if (box === null) throw new Error('the grid is not seen');
    const cell = box.width / 8;
    const before = await asked();
    await stopClock(demo.page);
    await demo.page.mouse.move(box.x + 3.5 * cell, box.y + cell / 2);
    await demo.page.mouse.down();
    await demo.page.mouse.move(box.x + 3.5 * cell, box.y + 7.5 * cell, { steps: 8 });
    await demo.page.mouse.up();
    await demo.page.clock.resume();
    await eventually(headline).toMatch(/^Likeliest: a 1/);
    expect(await asked()).toBe(before + 1);
    await button(panel(), 'Reset').click();
    await eventually(headline).toMatch(/^Likeliest: a 0 > 99\.9%/);
    demo.expectClean();
  });

  it('warns of a drawing that is like no test image, also of a blank one', async () => {
    await button(panel(), 'Clear and draw').click();
    await eventually(headline).toMatch(
      /It takes 0\.\d\d bits per dimension, and 95% of the test images take 1\.22 to 2\.24: this one is unusual/,
    );
    await grid().focus();
    for (let row = 0; row < 8; row++) {
      await demo.page.keyboard.press('Home');
      for (let column = 0; column < 8; column++) {
        if ((row + column) % 2 === 0) await demo.page.keyboard.press('Space');
        await demo.page.keyboard.press('ArrowRight');
      }
      await demo.page.keyboard.press('ArrowDown');
    }
    await eventually(headline).toMatch(
      /It takes \d+\.\d\d bits per dimension, .*: this one is unusual, so do not trust the answer much\.$/,
    );
    expect(await panel().getByText('an image of nothing it knows gets an answer too').isVisible()).toBe(true);
  });

  it('tells clothes apart', async () => {
    await panel().getByLabel('Clothes').check();
    await panel().getByText('5 of 100: a coat').waitFor();
    await eventually(async () => (await panel().locator('.class-name').allTextContents()).join()).toBe(
      'T-shirt or top,trousers,pullover,dress,coat,sandal,shirt,sneaker,bag,ankle boot',
    );
    const found = await bits();
    expect(found).toHaveLength(10);
    expect(Math.min(...found)).toBeGreaterThan(100);
    demo.expectClean();
  });
});
