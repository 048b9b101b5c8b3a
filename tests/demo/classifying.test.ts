import { logProb } from 'pixelcnn-layers/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { MODELS } from '../../demo/catalogue.mjs';
import { textOfLevels } from '../../demo/parts/levels-text.mjs';
import { shippedImages, shippedModel } from '../support/models/shipped';
import { button, eventually, sentJobs, stopClock, useDemo } from './open-page';

const SIZE = 784;

/** What the library says of an image: log p given each class, and whether the page should call it unusual. */
async function measured(name: 'clothes' | 'digits-28', image: Uint8Array) {
  const data = Uint8Array.from({ length: 10 * SIZE }, (_, i) => image[i % SIZE] ?? 0);
  const condition = Array.from({ length: 10 }, (_, k) => k);
  const nats = [...(await logProb(await shippedModel(name), { data, shape: [10, 28, 28, 1] }, { condition }))];
  const [beside = 0] = await logProb(await shippedModel(`${name}-background`), { data: image, shape: [1, 28, 28, 1] });
  const [least, most] = (MODELS[name as keyof typeof MODELS] as { usualRatio: [number, number] }).usualRatio;
  const fewer = (Math.max(...nats) - beside) / (SIZE * Math.LN2);
  return { nats, likeliest: nats.indexOf(Math.max(...nats)), isUnusual: fewer < least || fewer > most };
}

describe('classifying in the demo', () => {
  const demo = useDemo();
  const panel = () => demo.panel('classifying');
  const grid = () => panel().getByRole('application', { name: 'Image to classify' });
  const headline = () => panel().locator('.headline').textContent();
  const bits = async () => (await panel().locator('.class-bits').allTextContents()).map((text) => Number.parseInt(text, 10));
  const chances = () => panel().locator('.class-chance').allTextContents();
  const classifyJobs = async () => (await sentJobs(demo.page)).filter(({ kind }) => kind === 'classify');
  const asked = async () => (await classifyJobs()).length;
  /** The image that was last asked about. */
  const drawn = async () => Uint8Array.from(Object.values((await classifyJobs()).at(-1)?.['levels'] as object));
  const openWith = (levels: Uint8Array) => demo.open('classifying', `model=digits-28&levels=${textOfLevels([...levels])}`);

  describe('of the first digit', () => {
    beforeEach(async () => {
      await demo.open('classifying');
      await eventually(headline).toMatch(/^Likeliest: an? \d/);
    });

    it('says for each class how likely the image is, as the library does', async () => {
      const images = await shippedImages('digits-28');
      const { nats, likeliest } = await measured('digits-28', images.slice(5 * SIZE, 6 * SIZE));
      expect(await panel().locator('.where').textContent()).toBe('6 of 50');
      expect(await bits()).toEqual(nats.map((value) => Math.round(-value / Math.LN2)));
      const total = nats.reduce((sum, value) => sum + Math.exp(value - Math.max(...nats)), 0);
      const chance = (await chances())[likeliest] ?? '';
      expect(Number.parseFloat(chance.replace('> ', '')) / 100).toBeCloseTo(1 / total, 2);
      const one = `a${likeliest === 8 ? 'n' : ''} ${likeliest}`;
      expect(await headline()).toBe(`Likeliest: ${one} ${chance} sure.`);
      expect(await panel().locator('.class-bars .present').textContent()).toMatch(new RegExp(`^${likeliest}`));
    });

    it('measures what is drawn, once after a stroke, which is as wide as those of the data', async () => {
      const before = await headline();
      await button(panel(), 'Clear and draw').click();
      await eventually(headline).toBe('Draw a picture.');
      await grid().scrollIntoViewIfNeeded();
      const box = await grid().boundingBox();
      if (box === null) throw new Error('the grid is not seen');
      const cell = box.width / 28;
      const count = await asked();
      await stopClock(demo.page);
      await demo.page.mouse.move(box.x + 13.5 * cell, box.y + 4.5 * cell);
      await demo.page.mouse.down();
      await demo.page.mouse.move(box.x + 13.5 * cell, box.y + 22.5 * cell, { steps: 8 });
      await demo.page.mouse.up();
      await demo.page.clock.resume();
      await eventually(asked).toBe(count + 1);
      const image = await drawn();
      const { isUnusual } = await measured('digits-28', image);
      await eventually(headline).toMatch(/likeliest: a 1/i);
      await eventually(headline).toContain(isUnusual ? 'It may be wrong.' : '% sure.');
      expect(await asked()).toBe(count + 1);
      const row = (y: number) => [...image.subarray(y * 28 + 11, y * 28 + 17)];
      expect(row(12)).toEqual([0, 7, 15, 15, 7, 0]);
      expect(row(3)).toEqual([0, 0, 7, 7, 0, 0]); // its end is round
      expect(row(2)).toEqual([0, 0, 0, 0, 0, 0]);
      await button(panel(), 'Reset').click();
      await eventually(headline).toBe(before);
    });

    it('tells clothes apart', async () => {
      await panel().getByLabel('Clothes').check();
      await panel().getByText('5 of 100').waitFor();
      await eventually(async () => (await panel().locator('.class-name').allTextContents()).join()).toBe(
        'T-shirt or top,trousers,pullover,dress,coat,sandal,shirt,sneaker,bag,ankle boot',
      );
      const images = await shippedImages('clothes');
      const { nats } = await measured('clothes', images.slice(4 * SIZE, 5 * SIZE));
      expect(await bits()).toEqual(nats.map((value) => Math.round(-value / Math.LN2)));
      expect(await headline()).toMatch(/^Likeliest: a coat [\d.]+% sure\.$/);
    });
  });

  it('warns of a drawing that is like no digit', async () => {
    const squares = Uint8Array.from({ length: SIZE }, (_, i) => ((i % 28) + Math.floor(i / 28)) % 2 && 15);
    const { isUnusual } = await measured('digits-28', squares);
    expect(isUnusual).toBe(true);
    await openWith(squares);
    await eventually(headline).toMatch(/^Unlike its examples, but likeliest: an? \d It may be wrong\.$/);
    await panel().getByText('How it works').click();
    expect(await panel().getByText('Any image gets an answer').isVisible()).toBe(true);
  });

  it('loads background models only for this, and does without one for small digits', async () => {
    const backgrounds = () => demo.seen.requests.filter((url) => url.includes('-background'));
    await demo.open('likelihood', 'model=digits-28&image=1');
    await eventually(() => demo.panel('likelihood').locator('.detail').textContent()).toMatch('each of its 784 pixels');
    await demo.open('classifying', 'model=digits-conditional&image=1'); // an older link
    await eventually(headline).toMatch(/^Likeliest: a 0 > 99\.9% sure\.$/);
    expect(backgrounds()).toEqual([]);
    await panel().getByLabel('Digits', { exact: true }).check();
    await eventually(() => backgrounds().length).toBe(1);
  });
});
