import { describe, expect, it } from 'vitest';
import { shippedImages } from '../support/models/shipped';
import { button, copied, eventually, pictureOf, useDemo } from './open-page';

describe('the game of the demo', () => {
  const demo = useDemo();
  const game = () => demo.panel('game');
  const said = () => game().getByRole('status').first().textContent();
  /** The levels of the character that is asked about: 24 pixels a side, each 5 wide, beside a gap of 12. */
  const shown = async () => {
    const { data, width } = await pictureOf(game().locator('.tray canvas'));
    const at = (row: number, column: number) => data[4 * (width * (12 + 5 * row + 2) + 12 + 5 * column + 2)] ?? 0;
    return Array.from({ length: 576 }, (_, i) => (at(Math.floor(i / 24), i % 24) < 128 ? 1 : 0));
  };
  const open = async (query: string) => {
    await demo.page.goto(`${demo.address}#game?${query}`);
    await eventually(() => button(game(), 'Real').isEnabled()).toBe(true);
  };

  it('asks ten times, tells what was real, counts, and has a link for a friend', async () => {
    await open('seed=7');
    const all = await shippedImages('characters');
    const real = new Set(Array.from({ length: all.length / 576 }, (_, i) => [...all.subarray(576 * i, 576 * (i + 1))].join('')));
    const kinds = new Set<boolean>();
    for (let round = 0; round < 10; round++) {
      expect(await said()).toMatch(round === 0 ? /^Real or invented\?$/ : /And this\?$/);
      const isReal = real.has((await shown()).join(''));
      kinds.add(isReal);
      await button(game(), round === 3 ? (isReal ? 'Invented' : 'Real') : isReal ? 'Real' : 'Invented').click();
      const verdict = `${round === 3 ? 'Wrong' : 'Right'}: that one was ${isReal ? 'real' : 'invented'}.`;
      expect(await said()).toContain(verdict);
      expect(await game().getByRole('listitem').count()).toBe(round + 1);
    }
    expect(kinds.size).toBe(2);
    expect(await said()).toContain('You got 9 of 10; guessing gets 5.');
    expect(await button(game(), 'Real').isVisible()).toBe(false);
    expect(await demo.page.evaluate(() => document.activeElement?.textContent)).toBe('Play again');
    await button(game(), 'Share the score').click();
    await game().getByText('The link is copied.').waitFor();
    const link = await copied(demo.page);
    expect(link).toBe(`${demo.address}#game?seed=7&score=9`);

    await demo.page.goto('about:blank');
    await open('seed=7');
    const first = (await shown()).join();
    await demo.page.goto('about:blank');
    await open('seed=7&score=9');
    expect(await said()).toBe('Somebody got 9 of these 10. Real or invented?');
    expect((await shown()).join()).toBe(first);
  });

  it('begins anew with other characters', async () => {
    await open('seed=7');
    const first = (await shown()).join();
    for (let round = 0; round < 10; round++) await button(game(), 'Real').click();
    await button(game(), 'Play again').click();
    await eventually(() => button(game(), 'Real').isEnabled()).toBe(true);
    expect((await shown()).join()).not.toBe(first);
    expect(await game().getByRole('listitem').count()).toBe(0);
  });
});
