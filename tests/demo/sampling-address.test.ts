import { describe, expect, it } from 'vitest';
import { drawingOf, firstState, queryOf, readState, SAMPLED } from '../../demo/parts/sampling-state.mjs';
import { button, copied, eventually, pixels, useDemo } from './open-page';

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

describe('an address of sampling in the demo', () => {
  const demo = useDemo();
  const sampling = () => demo.panel('sampling');
  const canvas = () => sampling().getByRole('img');
  const label = () => canvas().getAttribute('aria-label');
  const isWhole = () => eventually(label).toMatch(/pictures by the model/);
  const open = async (hash: string) => {
    await demo.page.goto(`${demo.address}${hash}`);
    await isWhole();
  };

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

  it('says beside the form what is wrong with an address, and draws the rest', async () => {
    await open('#sampling?model=digits-conditional&seed=abc&temperature=77&nonsense');
    expect(await sampling().getByRole('alert').first().textContent()).toBe(
      'Ignored in the address: seed (wanted 0 to 999999999, got “abc”); temperature (wanted 0 to 2, in steps of 0.05, got “77”).',
    );
    expect(await label()).toBe('30 pictures by the model Small digits; seed 1');
    await button(sampling(), 'Draw').click();
    await eventually(() => sampling().getByText('Ignored in the address').isVisible()).toBe(false);
    await demo.page.evaluate(() => {
      location.hash = '#sampling?model=digits-conditional&seed=5';
    });
    await eventually(label).toBe('30 pictures by the model Small digits; seed 5');
  });

  it('draws also where the browser takes no more addresses', async () => {
    await demo.page.addInitScript(() => {
      history.replaceState = () => {
        throw new DOMException('more than 100 times per 30 seconds', 'SecurityError');
      };
    });
    await open('#sampling?model=digits-conditional');
    await sampling().getByRole('spinbutton', { name: 'Seed' }).fill('5');
    await button(sampling(), 'Draw').click();
    await eventually(label).toBe('30 pictures by the model Small digits; seed 5');
  });
});
