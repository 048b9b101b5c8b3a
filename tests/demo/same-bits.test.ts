import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { button, eventually, runInWorkers, useDemo } from './open-page';

const demo = useDemo();
const panel = () => demo.panel('same-bits');
const cells = () => panel().locator('.present td').allTextContents();

it('compares both ways with the list, beside the platforms of the docs, and draws one picture both ways', async () => {
  await demo.open('same-bits');
  const docs = await readFile(new URL('../../docs/reference/same-bits.md', import.meta.url), 'utf8');
  const rows = await panel().locator('tbody tr:not(.present)').all();
  expect(rows.length).toBe(7);
  for (const row of rows) expect(docs).toContain(`| ${(await row.locator('th, td').allTextContents()).join(' | ')} |`);
  await button(panel(), 'Draw and compare').click();
  await panel().locator('.headline').waitFor();
  for (const cell of await cells()) expect(cell).toBe('✓ 144 of 144');
  expect(await panel().locator('canvas').getAttribute('data-images')).toBe('2');
});

it('says which results differ, and of which way', async () => {
  await runInWorkers(demo.page, 'const { fround } = Math; Math.fround = (x) => fround(x * (1 + 2 ** -20));');
  await demo.open('same-bits');
  await button(panel(), 'Draw and compare').click();
  const alert = panel().locator('.report').getByRole('alert');
  await eventually(() => alert.textContent()).toMatch(/^This did not work: other bits; please report: .*gated/);
  expect(await cells()).toEqual(['✓ 144 of 144', expect.stringMatching(/^✗ \d+ of 144$/)]);
});
