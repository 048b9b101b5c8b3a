import { describe, expect, it } from 'vitest';
import { shippedImages } from '../support/models/shipped';
import { button, copied, eventually, pictureOf, useDemo } from './open-page';

describe('the game of the demo', () => {
  const demo = useDemo({ isShared: true });
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

  it('asks ten times, tells what was real, counts, has a link for a friend, and begins anew with others', async () => {
    await demo.page.goto(`${demo.address}#masks`);
    await demo.arePanelsThere();
    await demo.page.evaluate(() => location.assign('#game')); // where the page is open, it unfolds too
    await eventually(() => button(game(), 'Real').isEnabled()).toBe(true);
    await open('seed=7');
    const all = await shippedImages('characters');
    const real = new Set(Array.from({ length: all.length / 576 }, (_, i) => [...all.subarray(576 * i, 576 * (i + 1))].join('')));
    const [kinds, characters] = [new Set<boolean>(), new Set<string>()];
    for (let round = 0; round < 10; round++) {
      expect(await said()).toMatch(round === 0 ? /^Which is it\?$/ : `And this? ${round + 1} of 10`);
      const character = (await shown()).join('');
      const isReal = real.has(character);
      kinds.add(isReal);
      characters.add(character);
      const verdict = round === 3 ? 'wrong' : 'right';
      await button(game(), isReal === (verdict === 'right') ? 'Real' : 'Invented').click();
      expect(await said()).toContain(`${verdict} This one is ${isReal ? 'real' : 'invented'}.`);
      expect(await game().locator('li[class]').count()).toBe(round + 1);
      expect((await shown()).join('')).toBe(character); // it stays
      expect(await game().locator(`.tray.${verdict}`).count()).toBe(1);
      if (round === 9) break;
      await button(game(), 'Next').press('Enter');
      expect(await demo.page.evaluate(() => document.activeElement?.textContent)).toBe('Real');
    }
    expect([kinds.size, characters.size]).toEqual([2, 10]);
    expect(await said()).toContain('9 of 10 right. Guessing gets 5.');
    expect(await button(game(), 'Real').isVisible()).toBe(false);
    expect(await demo.page.evaluate(() => document.activeElement?.textContent)).toBe('Play again');
    await button(game(), 'Share the score').click();
    await game().getByText('The link is copied.').waitFor();
    const text = `Real or invented? 9 of 10\n🟩🟩🟩🟥🟩🟩🟩🟩🟩🟩\n${demo.address}#game?seed=7&score=9`;
    expect(await copied(demo.page)).toBe(text);
    await demo.page.goto('about:blank');
    await open('seed=7&score=9');
    expect(await said()).toBe('Somebody got 9 of these 10. Which is it?');
    expect((await shown()).join('')).toBe([...characters][0]);
    while (!(await button(game(), 'Play again').isVisible()))
      await game().locator('.buttons .button:visible', { hasText: /^(Real|Next)$/ }).click(); // biome-ignore format: one line
    await button(game(), 'Play again').click();
    await eventually(() => button(game(), 'Real').isEnabled()).toBe(true);
    expect((await shown()).join('')).not.toBe([...characters][0]);
    expect(await game().locator('li[class]').count()).toBe(0);
  });
});
