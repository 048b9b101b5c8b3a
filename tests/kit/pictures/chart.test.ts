import { describe, expect, it } from 'vitest';
import { histogramChart, lineChart } from '../../../kit/pictures/chart.mjs';

describe('chart', () => {
  it('is an SVG with the titles and the names of lines and rules', () => {
    const svg = lineChart({
      title: 'A title',
      xTitle: 'across',
      yTitle: 'up',
      lines: [
        {
          name: 'a line',
          points: [
            { x: 0, y: 1 },
            { x: 1, y: 2 },
          ],
        },
      ],
      rules: [{ name: 'a rule', y: 1.5 }],
    });
    expect(svg).toMatch(/^<svg/);
    for (const text of ['A title', 'across', 'up', 'a line', 'a rule']) expect(svg).toContain(`>${text}<`);
  });

  it('shows two groups of a histogram one in front of the other, not one on the other', () => {
    const values = [1, 1, 1, 2];
    const groups = ['own', 'others'].map((name) => ({ name, values }));
    const svg = histogramChart([{ title: 'A title', xTitle: 'bits', groups }]);
    const areas = [...svg.matchAll(/d="([^"]+)" fill="#[^"]+" fill-opacity/g)].map(([, path]) => path);
    expect(areas).toHaveLength(2);
    expect(areas[0]).toBe(areas[1]); // the values are the same
    for (const text of ['A title', 'bits', 'own', 'others']) expect(svg).toContain(`>${text}<`);
  });
});
