import { sample, symmetric } from 'pixelcnn-layers/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { EXACT, meanOf, TEMPERATURES } from '../../demo/panels/magnet.mjs';
import { exactMagnetization, magnetizationsOf, SYMMETRIES } from '../../kit/models/ising.mjs';
import { shippedModel } from '../support/models/shipped';
import { button, eventually, says, sentLevels, useDemo } from './open-page';

it('has the mean of magnetizations, and the exact one', () => {
  expect(EXACT[9]).toBeCloseTo(exactMagnetization(10, 1 / 2.3), 3);
  expect(meanOf(Float64Array.of(1, 2, 3))).toEqual({ mean: 2, error: Math.sqrt(1 / 3) });
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
  const models = () => demo.seen.requests.flatMap((url) => /magnet-[\d.]+(?=-)/.exec(url) ?? []);

  beforeEach(async () => {
    await demo.open('magnet');
    await says(panel(), 'Drew 64 squares at 4. How far they line up: 0.');
  });

  it('draws what the library draws, hot, and shows how far that lines up', async () => {
    const drawn = await sentLevels(demo.page, 'result', 6400);
    const { symmetry: _, ...network } = await shippedModel('magnet-4');
    const { data } = await sample(symmetric(network, ['flipLevels']), { numImages: 64, seed: 1 });
    expect(drawn).toEqual([...data]);
    const { mean } = meanOf(magnetizationsOf(data, 64).map(Math.abs));
    const height = Number(await panel().locator('.point.present circle').getAttribute('cy'));
    expect(height).toBeCloseTo(154 - 144 * mean, 6); // of 180, with 26 below the 0 and 10 above the 1
  });

  it('cools down through all temperatures, and goes to others by keys; it asks for a network only then', async () => {
    expect(models()).toEqual(['magnet-4']);
    await slider().press('Home');
    await says(panel(), 'Drew 64 squares at 1.5. How far they line up: 0.9');
    expect(await slider().getAttribute('aria-valuetext')).toBe('1.5');
    expect(models()).toEqual(['magnet-4', 'magnet-1.5']);
    await demo.page.emulateMedia({ reducedMotion: 'no-preference' });
    await slider().press('ArrowRight');
    await eventually(() => panel().locator('.point').count()).toBe(3); // and its pictures grow
    await button(panel(), 'Cool it down').click();
    await eventually(() => panel().locator('.point').count()).toBe(TEMPERATURES.length);
    await eventually(() => pictures().getAttribute('aria-label')).toBe('64 squares of 10 by 10 spins at temperature 1.5');
    expect(await panel().locator('.point.present').count()).toBe(1);
  });
});
