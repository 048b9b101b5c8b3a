import { describe, expect, it } from 'vitest';
import { lineChart } from '../../../examples/lib/chart.mjs';

describe('chart', () => {
  it('is an SVG with the titles and the names of lines and rules', async () => {
    const svg = await lineChart({
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
});
