import { readFileSync } from 'node:fs';
import { svgOf } from '../examples/lib/drawing.mjs';

const [BAR, BETWEEN, WIDTH, HEIGHT, TOP] = [8, 2, 240, 120, 30];
const [INK, PALE] = ['#143e8c', '#d8dce3'];

/** How many of 1,000 images of 16x16 spins have which magnetization, at each temperature of docs/results/runs/ising.json. */
export function magnetizationSvg() {
  const runs = JSON.parse(readFileSync(new URL('../docs/results/runs/ising.json', import.meta.url), 'utf8'));
  const shapes = runs
    .filter(({ size }) => size === 16)
    .flatMap(({ beta, histogram }, k) => {
      const left = 20 + k * WIDTH;
      const most = Math.max(...histogram);
      const bars = histogram.map((count, bin) => {
        const height = Math.round((HEIGHT * count) / most);
        const x = left + bin * (BAR + BETWEEN);
        return { x, y: TOP + HEIGHT - height, width: BAR, height, fill: INK };
      });
      const width = histogram.length * (BAR + BETWEEN);
      const middle = left + width / 2;
      return [
        { x: left, y: TOP + HEIGHT, width, height: 2, fill: PALE },
        ...bars.filter(({ height }) => height > 0),
        { x: middle, y: 8, text: `beta ${beta.toFixed(3)}`, fill: INK },
        { x: left + 8, y: TOP + HEIGHT + 8, text: '-1', fill: INK },
        { x: middle, y: TOP + HEIGHT + 8, text: '0', fill: INK },
        { x: left + width - 8, y: TOP + HEIGHT + 8, text: '1', fill: INK },
      ];
    });
  const title = 'Magnetizations of 16x16 spins';
  return svgOf({ width: 20 + 4 * WIDTH, height: TOP + HEIGHT + 30, title, shapes });
}
