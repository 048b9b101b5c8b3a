import axe from 'axe-core';
import type { Page } from 'playwright';
import { describe, expect, it } from 'vitest';
import { chromiumPath } from '../support/chromium.mjs';
import { useDemo } from './demo-page';

/** What axe finds, in words: the rule, and where. */
const violations = (page: Page) =>
  page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run: typeof import('axe-core').run } };
    const rules = { 'target-size': { enabled: true } };
    const found = await axe.run(document, { resultTypes: ['violations'], rules });
    return found.violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target.join(' ')}: ${failureSummary}`),
    );
  });

describe.skipIf(chromiumPath === undefined)('axe finds nothing to object to in the demo', () => {
  const demo = useDemo();

  it.each([
    ['wide', { width: 1280, height: 800 }],
    ['a phone', { width: 390, height: 844 }],
  ] as const)('where the screen is %s, light and dark', async (_, size) => {
    await demo.page.setViewportSize(size);
    await demo.page.goto(demo.address);
    await demo.seeAll();
    await demo.page.evaluate(axe.source);
    for (const colorScheme of ['light', 'dark'] as const) {
      await demo.page.emulateMedia({ colorScheme });
      expect(await violations(demo.page)).toEqual([]);
    }
  });

  it('also once a picture is drawn and a wrong seed is entered', async () => {
    await demo.page.goto(`${demo.address}#drawing?values=0Z0Z0F&class=99`);
    await demo.panel('drawing').getByText('A picture that somebody drew here').waitFor();
    await demo.panel('sampling').getByLabel('Seed', { exact: true }).fill('-1');
    await demo.page.evaluate(axe.source);
    expect(await violations(demo.page)).toEqual([]);
  });
});
