import axe from 'axe-core';
import type { Page } from 'playwright';

/** What axe finds, in words: the rule, and where. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run: typeof import('axe-core').run } };
    const rules = { 'target-size': { enabled: true } };
    const found = await axe.run(document, { resultTypes: ['violations'], rules });
    return found.violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target.join(' ')}: ${failureSummary}`),
    );
  });
}
