import { sample } from 'pixelcnn-layers/runtime';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { drawingOf, firstState, queryOf, readState, SAMPLED } from '../../demo/parts/sampling-state.mjs';
import { shippedModel } from '../support/models/shipped';
import {
  button,
  copied,
  downloadOf,
  eventually,
  focusedAfterFrames,
  pixels,
  says,
  sentJobs,
  sentLevels,
  stopClock,
  useDemo,
} from './open-page';

describe('the state of sampling', () => {
  const read = (query: string) => readState(new Map(new URLSearchParams(query)));

  it('is read from an address as it was written', () => {
    expect(SAMPLED).toEqual(['characters', 'digits-28', 'clothes', 'binarized-mnist']);
    for (const model of ['digits-28', 'clothes', 'digits-conditional']) {
      const states = [firstState(model), { ...firstState(model), group: '3', rows: 5, seed: 77, temperature: 0.35, topK: 4 }];
      for (const state of states) {
        const query = String(new URLSearchParams(Object.entries(queryOf(state)).map(([k, v]) => [k, String(v)])));
        expect(read(query)).toEqual({ state, complaint: '' });
      }
    }
    expect(queryOf(firstState())).toEqual({ model: 'characters', seed: 1 });
    const plain = { ...firstState('binarized-mnist'), rows: 5, seed: 77, topK: 1 };
    expect(read('model=binarized-mnist&rows=5&seed=77&top-k=1&class=3')).toEqual({ state: plain, complaint: '' });
  });

  it.each([
    ['model=cats', 'model (wanted characters or digits-28 or clothes or binarized-mnist, got “cats”)'],
    ['seed=-1', 'seed (wanted 0 to 999999999, got “-1”)'],
    ['seed=', 'seed (wanted 0 to 999999999, got “”)'],
    ['temperature=0.33', 'temperature (wanted 0 to 2, in steps of 0.05, got “0.33”)'],
    ['top-k=0', 'top-k (wanted 1 to 2, got “0”)'],
    ['rows=2.5', 'rows (wanted 1 to 6, got “2.5”)'],
  ])('leaves out what an address has wrong, and names it: %s', (query, complaint) => {
    expect(read(query)).toEqual({ state: firstState(), complaint: `Ignored in the address: ${complaint}.` });
  });

  it('draws a column for each class, or all of one', () => {
    const clothes = { ...firstState('clothes'), rows: 2 };
    expect(drawingOf(clothes).classes).toEqual([...Array(20).keys()].map((i) => i % 10));
    expect(drawingOf({ ...clothes, group: '2' }).classes).toEqual(Array(20).fill(2));
    expect(drawingOf(firstState('binarized-mnist'))).toMatchObject({ numImages: 30 });
    expect(drawingOf(firstState('binarized-mnist'))).not.toHaveProperty('classes');
    expect(drawingOf(clothes)).not.toHaveProperty('topK');
    expect(drawingOf({ ...clothes, topK: 4 })).toMatchObject({ numImages: 20, topK: 4 });
  });
});

describe('sampling in the demo', () => {
  const demo = useDemo();
  const sampling = () => demo.panel('sampling');
  const canvas = () => sampling().getByRole('img');
  const label = () => canvas().getAttribute('aria-label');
  const isWhole = () => eventually(label).toMatch(/pictures by the model/);
  /** Small digits, by an older link, since they are drawn the fastest. */
  const open = async (hash = '#sampling?model=digits-conditional&seed=1&rows=2') => {
    await demo.page.goto(`${demo.address}${hash}`);
    await isWhole();
  };
  /** What this panel has asked its worker to draw, in turn: more pictures at a time than others do. */
  const jobs = async () => (await sentJobs(demo.page)).filter(({ numImages }) => typeof numImages === 'number' && numImages > 8);

  it('draws characters once it is unfolded: the images that the library draws in Node', async () => {
    await demo.open('sampling');
    await says(sampling(), 'Drew 30 pictures');
    expect(await label()).toBe('30 pictures by the model Characters; seed 1');
    const drawn = await sentLevels(demo.page, 'result', 30 * 576);
    const { data } = await sample(await shippedModel('characters'), { numImages: 30, seed: 1 });
    expect(Buffer.from(drawn).equals(Buffer.from(data))).toBe(true);
    expect(demo.page.url()).toBe(`${demo.address}#sampling`); // only what the visitor asks for is in the address
  });

  const seed = () => sampling().getByLabel('Seed', { exact: true });
  const models = () => sampling().getByLabel('Model', { exact: true });
  const offered = () => models().locator('option').allTextContents();

  it('draws digits in black and white, which have no classes', async () => {
    await open('#sampling?model=binarized-mnist&seed=3&rows=1');
    expect(await label()).toBe('10 pictures by the model Digits, black and white; seed 3');
    expect(await offered()).toEqual(['Characters', 'Digits', 'Clothes', 'Digits, black and white']);
    expect(await sampling().getByLabel('Class', { exact: true }).isVisible()).toBe(false);
    const nats = sampling().getByText(/binarized MNIST: \d+\.\d\d nats an image/);
    await nats.waitFor();
    await models().selectOption('Digits');
    await sampling().getByLabel('Class', { exact: true }).waitFor();
    await eventually(label).toBe('30 pictures by the model Digits; seed 3');
  });

  it('draws again with each change, the same for the same seed, and has it in the address', async () => {
    await open();
    const first = await pixels(canvas());
    await sampling().getByLabel('Temperature').fill('0.5');
    await eventually(() => pixels(canvas())).not.toBe(first);
    await isWhole();
    const cooler = await pixels(canvas());
    expect(demo.page.url()).toMatch(/#sampling\?model=digits-conditional&rows=2&seed=1&temperature=0.5$/);
    await sampling().getByLabel('Choose from').fill('1');
    await sampling().getByText('the likeliest shade', { exact: true }).waitFor();
    await eventually(() => pixels(canvas())).not.toBe(cooler);
    await sampling().getByLabel('Choose from').fill('17');
    await eventually(() => pixels(canvas())).toBe(cooler);
    await sampling().getByLabel('Temperature').fill('1');
    await eventually(() => pixels(canvas())).toBe(first);
    await sampling().getByLabel('Class', { exact: true }).selectOption('3');
    await eventually(label).toBe('20 pictures by the model Small digits: 3; seed 1');
    await sampling().getByRole('slider', { name: 'Pictures' }).fill('1');
    await eventually(label).toBe('10 pictures by the model Small digits: 3; seed 1');
    await button(sampling(), 'Draw others').click();
    await eventually(label).toMatch(/seed (?!1$)\d+$/);
    await isWhole();
    expect(demo.page.url()).toContain(`rows=1&seed=${await seed().inputValue()}&class=3`);
  });

  it('draws once for a slider that is dragged, and drops what is no longer wanted', async () => {
    await open('#sampling?model=clothes&seed=1&rows=2');
    const before = (await jobs()).length;
    const slider = sampling().getByLabel('Temperature');
    await stopClock(demo.page);
    for (const value of ['0.9', '0.8', '0.7', '0.6']) await slider.fill(value);
    await demo.page.clock.runFor(150);
    await eventually(async () => (await jobs()).length).toBe(before + 1);
    await slider.fill('0.5');
    await demo.page.clock.runFor(150);
    await eventually(async () => (await jobs()).length).toBe(before + 2);
    await isWhole();
    expect((await jobs()).slice(before).map(({ temperature }) => temperature)).toEqual([0.6, 0.5]);
    await says(sampling(), 'Drew 20 pictures');
    expect(await slider.evaluate((input) => input.matches(':enabled'))).toBe(true);
  });

  it('says beside the seed what is wrong with it, and does not draw', async () => {
    await open();
    const before = (await jobs()).length;
    for (const wrong of ['', '-1', '1.5', '1000000000']) {
      await seed().fill(wrong);
      const error = sampling().getByText('Wanted a whole number from 0 to 999,999,999.');
      await error.waitFor();
      expect(await seed().getAttribute('aria-describedby')).toBe(await error.getAttribute('id'));
      await seed().press('Enter');
    }
    await stopClock(demo.page);
    await sampling().getByLabel('Temperature').fill('0.5');
    await demo.page.clock.runFor(1000);
    expect((await jobs()).length).toBe(before);
    await seed().fill('2');
    expect(await seed().getAttribute('aria-invalid')).toBe('false');
    await seed().press('Enter');
    await eventually(label).toBe('20 pictures by the model Small digits; seed 2');
  });

  it('gives a PNG, and takes older links to small digits', async () => {
    await open('#sampling?model=digits-conditional&seed=1&rows=1&class=3&top-k=1');
    expect(await models().inputValue()).toBe('digits-conditional');
    expect(await offered()).toEqual(['Characters', 'Digits', 'Clothes', 'Digits, black and white', 'Small digits']);
    const { name, bytes } = await downloadOf(demo.page, () => button(sampling(), 'Download PNG').click());
    expect(name).toBe('digits-conditional.png');
    const { width, height, data } = PNG.sync.read(bytes);
    const rows = data.length / height;
    const tile = (column: number) =>
      Array.from({ length: 128 }, (_, y) => [
        ...data.subarray((13 + y) * rows + 4 * (13 + 141 * column), (13 + y) * rows + 4 * (141 + 141 * column)),
      ]);
    expect([width, height]).toEqual([13 + 141 * 10, 13 + 141]);
    expect(tile(0)).toEqual(tile(1)); // the likeliest three, twice
    expect(new Set(tile(0).flat()).size).toBeGreaterThan(2);
  });

  it('shows rows as they are drawn, stops when cancelled, and draws again', async () => {
    await open('#sampling?model=clothes&seed=1&rows=4');
    const rows = await demo.page.evaluate(() => {
      const { answers } = globalThis as unknown as { answers: { report?: { done: number; levels: { length: number } } }[] };
      return answers.flatMap(({ report }) => (report?.levels.length === 40 * 784 ? [report.done / 28] : []));
    });
    expect(rows.some((row) => row > 0 && row < 28)).toBe(true);
    expect(rows.every(Number.isInteger)).toBe(true);

    await button(sampling(), 'Draw others').click();
    await button(sampling(), 'Cancel').press('Enter');
    await says(sampling(), 'Cancelled');
    expect(await button(sampling(), 'Cancel').isDisabled()).toBe(true);
    expect(await label()).toBe('Not drawn to the end');
    expect(await focusedAfterFrames(demo.page)).toBe('Draw others');
    await sampling().getByRole('slider', { name: 'Pictures' }).fill('1');
    await says(sampling(), 'Drew 10 pictures');
  });

  it('shows slowly what was drawn fast, with a bar that follows what is shown', async () => {
    await open();
    const drawn = await pixels(canvas());
    await sampling().getByLabel('Slow motion').check();
    const isSlowed = () => sampling().getByText('It is shown slowed down').waitFor();
    const bar = sampling().locator('progress');
    const share = () => bar.evaluate(({ value }: HTMLProgressElement) => value);
    await stopClock(demo.page);
    await seed().press('Enter');
    await isSlowed();
    for (const quarter of [0, 1, 2, 3]) {
      expect(await share()).toBe(quarter / 4);
      expect(await pixels(canvas())).not.toBe(drawn);
      await demo.page.clock.runFor(16 * 45); // a quarter of the pixels
    }
    await says(sampling(), 'Drew 20');
    expect(await share()).toBe(1);
    expect(await pixels(canvas())).toBe(drawn);
    await seed().press('Enter');
    await isSlowed();
    await button(sampling(), 'Cancel').click();
    await demo.page.clock.resume();
    await says(sampling(), 'Drew 20');
    expect(await pixels(canvas())).toBe(drawn);
  });

  it('shows the same picture in a page that opens the copied link', async () => {
    await open('#sampling?model=digits-conditional&seed=9&rows=1&class=3&temperature=0.8&top-k=4');
    await eventually(label).toBe('10 pictures by the model Small digits: 3; seed 9');
    const shown = await pixels(canvas());
    await button(sampling(), 'Copy link').click();
    await sampling().getByText('The link is copied.').waitFor();
    const link = await copied(demo.page);
    await demo.page.goto('about:blank');
    await demo.page.goto(link);
    await isWhole();
    expect(await pixels(canvas())).toBe(shown);
    expect(await sampling().getByLabel('Temperature').inputValue()).toBe('0.8');
  });

  it('says beside the form what is wrong with an address, and draws the rest, also where the browser takes no more addresses', async () => {
    await open('#sampling?model=digits-conditional&seed=abc&temperature=77&nonsense');
    expect(await sampling().getByRole('alert').first().textContent()).toBe(
      'Ignored in the address: seed (wanted 0 to 999999999, got “abc”); temperature (wanted 0 to 2, in steps of 0.05, got “77”).',
    );
    expect(await label()).toBe('30 pictures by the model Small digits; seed 1');
    await seed().press('Enter');
    await eventually(() => sampling().getByText('Ignored in the address').isVisible()).toBe(false);
    await demo.page.evaluate(() => {
      location.hash = '#sampling?model=digits-conditional&seed=5';
    });
    await eventually(label).toBe('30 pictures by the model Small digits; seed 5');
    await demo.page.evaluate(() => {
      history.replaceState = () => {
        throw new DOMException('more than 100 times per 30 seconds', 'SecurityError');
      };
    });
    await seed().fill('6');
    await seed().press('Enter');
    await eventually(label).toBe('30 pictures by the model Small digits; seed 6');
  });
});
