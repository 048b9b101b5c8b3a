import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { javascriptMixtureLevels, type MixtureLevels, Row } from '../../../src/runtime/kernels/mixture-levels';
import { webAssemblyMixtureLevels } from '../../../src/runtime/kernels/webassembly';
import { forAll } from '../../support/runs';

/** Components somewhere in [-1, 1], of scales from wide to e^-7, as a mixture of logistics has them. */
function fill({ table }: MixtureLevels, components: number, levels: number, seed: number): void {
  const random = (k: number, row: number) => Math.abs(Math.sin(seed + 12.9898 * k + 78.233 * row)) % 1;
  const scales = Array.from({ length: components }, (_, k) => Math.exp(9 * random(k, 1) - 2));
  for (let k = 0; k < components; k++) {
    const [scale, other] = [scales[k] as number, scales[k ^ 1] as number];
    const weight = random(k, 2);
    const step = (2 / (levels - 1)) * scale;
    const values = {
      means: 3 * random(k, 0) - 1.5, scales: scale, weights: weight, slopes: weight * -Math.expm1(-step), ratios: Math.exp(-step),
      runs: (2 / (levels - 1)) * Math.max(scale, other) * 16 <= 96 ? 16 : 1,
    }; // biome-ignore format: in few lines
    for (const [row, value] of Object.entries(values)) table[Row[row as keyof typeof Row] * components + k] = value;
  }
}

const sizes = { components: fc.constantFrom(2, 4, 10), levels: fc.constantFrom(2, 3, 16, 17, 18, 256) };

describe('the levels of a mixture', () => {
  it('have the same bits with and without WebAssembly', () =>
    forAll([sizes.components, sizes.levels, fc.nat(1e6)], { numRuns: 40, seed: 1 }, (components, levels, seed) => {
      const all = [javascriptMixtureLevels, webAssemblyMixtureLevels].map((make) => {
        const mixture = make(components, levels) as MixtureLevels;
        fill(mixture, components, levels, seed);
        mixture.weigh();
        const total = mixture.table.subarray(Row.weights * components, Row.slopes * components).reduce((a, b) => a + b);
        const drawn = Array.from({ length: 20 }, (_, i) => mixture.levelAt((total * (i + 0.5)) / 20));
        return { masses: [...mixture.masses], drawn, table: [...mixture.table] };
      });
      expect(all[1]).toEqual(all[0]);
    }));
});
