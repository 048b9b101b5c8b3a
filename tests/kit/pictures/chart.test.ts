import { expect, it } from 'vitest';
import { histogramChart } from '../../../kit/pictures/chart.mjs';

it('chart shows two groups of a histogram one in front of the other, not one on the other', async () => {
  const values = [1, 1, 1, 2];
  const groups = ['own', 'others'].map((name) => ({ name, values }));
  const svg = await histogramChart([{ title: 'A title', xTitle: 'bits', groups }]);
  const bars = [...svg.matchAll(/aria-roledescription="bar" d="([^"]+)"/g)].map(([, path]) => path);
  expect(bars).toHaveLength(4);
  expect(new Set(bars).size).toBe(2); // each value has the same bar in both
  for (const text of ['A title', 'bits', 'own', 'others']) expect(svg).toContain(`>${text}<`);
});
