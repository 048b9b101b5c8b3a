import { describe, expect, it } from 'vitest';
import { trainingCurve } from '../../../kit/pictures/curve.mjs';

const rules = [{ name: 'uniform', y: 4 }];

describe('the curve of training', () => {
  it('shows both lines and the rules', async () => {
    const [first, second] = [
      { step: 1, trainBits: 3 },
      { step: 2, trainBits: 2 },
    ];
    const svg = await trainingCurve({ title: 'A run', metrics: [first, second, { ...second, testBits: 2.5 }], rules });
    const texts = ['A run', 'step', 'bits per dimension', 'training (smoothed)', 'test', 'uniform'];
    for (const text of texts) expect(svg).toContain(`>${text}<`);
  });

  it('has no test line before the first evaluation', async () => {
    const svg = await trainingCurve({ title: 'A run', metrics: [{ step: 1, trainBits: 3 }], rules });
    expect(svg).toContain('>training (smoothed)<');
    expect(svg).not.toContain('>test<');
    expect(await trainingCurve({ title: 'A run', metrics: [] })).toMatch(/^<svg/); // before the first step
  });

  it('stays small for a long run, and reaches its last step', async () => {
    const metrics = Array.from({ length: 100_001 }, (_, i) => ({ step: i + 1, trainBits: 2 + 1 / (i + 1) }));
    const svg = await trainingCurve({ title: 'A run', metrics });
    expect(svg.length).toBeLessThan(40_000);
    expect(svg).toContain('>100,000<');
  });
});
