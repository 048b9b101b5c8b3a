import { sample, symmetric } from 'pixelcnn-layers/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, meanOf, TEMPERATURES, withError } from '../../demo/panels/magnet.mjs';
import { exactLogZ, magnetizationsOf, SYMMETRIES } from '../../kit/models/ising.mjs';
import { shippedModel } from '../support/models/shipped';
import { says, sentLevels, useDemo } from './open-page';

it('counts magnetizations, and has their mean, with two digits of its error', () => {
  expect(countsOf([-1, -0.96, -0.04, 0, 0.06, 1])).toEqual([2, ...Array(9).fill(0), 2, 1, ...Array(8).fill(0), 1]);
  expect(meanOf(Float64Array.of(1, 2, 3))).toEqual({ mean: 2, error: Math.sqrt(1 / 3) });
  expect([withError(-0.98765, 0.00213), withError(1, 0)]).toEqual(['−0.9877 ± 0.0021', '1 ± 0']);
});

it.each(TEMPERATURES)('the file of temperature %s says what it is', async (temperature) => {
  const { info, imageShape, levels, symmetry } = await shippedModel(`magnet-${temperature}`);
  expect(info).toMatchObject({ name: `Ising 10x10 at beta ${1 / temperature}` });
  expect({ imageShape, levels, ...symmetry }).toEqual({ imageShape: [10, 10, 1], levels: 2, symmetries: SYMMETRIES });
});

describe('magnets in the demo', () => {
  const demo = useDemo();
  const panel = () => demo.panel('magnet');
  const slider = () => panel().getByRole('slider');
  const pictures = () => panel().locator('canvas');
  const words = (i: number) => panel().locator('.words').nth(i).textContent();
  const models = () => demo.seen.requests.flatMap((url) => /magnet-[\d.]+(?=-)/.exec(url) ?? []);

  /** What the page says of the free energy, by its network and exactly. */
  async function freeEnergies() {
    const numbers = (await words(0))?.replaceAll('−', '-').match(/-?\d+\.\d+/g) ?? [];
    const [estimate = Number.NaN, error = Number.NaN, exact = Number.NaN] = numbers.map(Number);
    return { estimate, error, exact };
  }

  async function expectEstimate(temperature: number) {
    const { estimate, error, exact } = await freeEnergies();
    expect(Math.abs(exact + (exactLogZ(10, 1 / temperature) * temperature) / 100)).toBeLessThan(error);
    expect(Math.abs(estimate - exact)).toBeLessThan(5 * error + 1e-5); // and what rounding may do
    expect(error).toBeLessThan(0.003);
  }

  beforeEach(async () => {
    await demo.open('magnet');
    await says(panel(), 'Drew 64 squares at temperature 2.27.');
  });

  it('draws what the library draws, and says its magnetization, and its free energy beside the exact one', async () => {
    const drawn = await sentLevels(demo.page, 'report', 6400);
    const { symmetry: _, ...network } = await shippedModel('magnet-2.27');
    const { data } = await sample(symmetric(network, ['flipLevels']), { numImages: 64, seed: 1 });
    expect(drawn).toEqual([...data]);
    const all = magnetizationsOf(data, 64);
    const { mean, error } = meanOf(all.map(Math.abs));
    expect(await words(1)).toBe(`${withError(mean, error)}, the mean of these 64 squares`);
    const [down, up] = [all.filter((one) => one < -0.05), all.filter((one) => one > 0.05)].map(({ length }) => length);
    expect(await panel().locator('.level-row').getAttribute('aria-label')).toContain(`${down} point down, ${up} up,`);
    await expectEstimate(2.27);
  });

  it('goes to other temperatures by keys, asks for a network only then, and keeps what the charts show', async () => {
    expect(models()).toEqual(['magnet-2.27']);
    await slider().press('End');
    await says(panel(), 'Drew 64 squares at temperature 4.');
    expect(await slider().getAttribute('aria-valuetext')).toBe('4');
    expect(models()).toEqual(['magnet-2.27', 'magnet-4']);
    await expectEstimate(4);
    expect(await panel().locator('.point').count()).toBe(4);
    expect(await panel().locator('.point.present').count()).toBe(2);
    expect(await pictures().getAttribute('aria-label')).toBe('64 squares of 10 by 10 spins at temperature 4');
  });
});
