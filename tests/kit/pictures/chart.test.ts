import { expect, it } from 'vitest';
import { histogramChart } from '../../../kit/pictures/chart.mjs';

it('chart shows two groups of a histogram one in front of the other, not one on the other', () => {
  const values = [1, 1, 1, 2];
  const groups = ['own', 'others'].map((name) => ({ name, values }));
  const svg = histogramChart([{ title: 'A title', xTitle: 'bits', groups }]);
  const areas = [...svg.matchAll(/d="([^"]+)" fill="#[^"]+" fill-opacity/g)].map(([, path]) => path);
  expect(areas).toHaveLength(2);
  expect(areas[0]).toBe(areas[1]); // the values are the same
  for (const text of ['A title', 'bits', 'own', 'others']) expect(svg).toContain(`>${text}<`);
});
