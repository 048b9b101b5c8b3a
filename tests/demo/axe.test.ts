import type { Page } from 'playwright';
import { describe, expect, it } from 'vitest';
import { violations } from '../support/browsers/axe';
import { eventually, useDemo } from './open-page';

/** Ids that are there twice, canvases and applications without a name, and the headings. */
const whatAxeLeavesOut = (page: Page) =>
  page.evaluate(() => {
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
    const named = [...document.querySelectorAll('canvas:not([aria-hidden]), [role=application]')];
    return {
      twice: ids.filter((id, i) => ids.indexOf(id) !== i),
      unnamed: named
        .filter((element) => element.closest('[aria-hidden=true], .u-over, .u-wrap') === null)
        .filter((element) => !element.hasAttribute('aria-label') && !element.hasAttribute('aria-labelledby'))
        .map(({ outerHTML }) => outerHTML),
      headings: [...document.querySelectorAll('h1, h2')].map(({ tagName }) => tagName).join(),
    };
  });

describe('axe finds nothing to object to in the demo', () => {
  const demo = useDemo();

  it('on a wide screen and then as narrow as a phone, light and dark; it fits both', async () => {
    await demo.page.setViewportSize({ width: 1280, height: 800 });
    await demo.page.goto(demo.address);
    await demo.seeAll();
    const pairs = [[1280, 800], [360, 740]] as const; // biome-ignore format: a line
    for (const [width, height] of pairs) {
      await demo.page.setViewportSize({ width, height });
      for (const colorScheme of ['light', 'dark'] as const) {
        await demo.page.emulateMedia({ colorScheme });
        expect(await violations(demo.page)).toEqual([]);
      }
      await eventually(() => demo.page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    }
    expect(await whatAxeLeavesOut(demo.page)).toEqual({ twice: [], unnamed: [], headings: `H1${',H2'.repeat(12)}` }); // one more once published
  });

  it('also once a picture is drawn and a wrong seed is entered', async () => {
    await demo.page.goto(`${demo.address}#drawing?model=digits-conditional&values=0Z0Z0F&class=99`);
    await demo.panel('drawing').getByText('A picture drawn here').waitFor();
    await demo.bringIntoSight('sampling');
    await demo.panel('sampling').getByLabel('Seed', { exact: true }).fill('-1');
    expect(await violations(demo.page)).toEqual([]);
  });
});
