// Draws how a model draws a picture, pixel by pixel, for docs/images/drawing.svg: `npm run figures`. The
// model, its probabilities and the falls of the die are real. The figure is animated by SMIL, and stands
// still for those who prefer reduced motion.

import { readFile } from 'node:fs/promises';
import { readPortable, stepper } from 'pixelcnn-layers/runtime';
import { levelAt } from '../demo/parts/die-strip.mjs';
import { oddsOf } from '../demo/parts/odds.mjs';
import { randomOf } from '../demo/parts/random.mjs';

const MODEL = new URL('../examples/models/digits-conditional.pixelcnn', import.meta.url);
const [CLASS, SEED] = [3, 32];

const COLOUR = {
  paper: '#ffffff',
  line: '#c3c7d1',
  blank: '#e4e2db',
  text: '#1a1c24',
  muted: '#5a5e6c',
  bar: '#8b8e99',
  accent: '#3a4bd6',
};
const [WIDTH, HEIGHT] = [820, 384];
const PICTURE = { x: 24, y: 56, cell: 38, gap: 2 };
const BARS = { x: 368, foot: 262, height: 170, pitch: 25, width: 18 };
const STRIP = { y: 318, height: 18 };

/** Seconds that a pixel takes, longer the more uncertain it is, and seconds that the finished picture stays. */
const secondsFor = (bits) => 0.06 + 0.085 * Math.min(bits, 3);
const STAYS = 4;
/** When the die falls, as a fraction of a pixel's time. */
const FALLS = 0.4;

/**
 * A picture that the model draws: for each pixel the probabilities of all levels, where the die fell, and on
 * which level.
 */
function drawnBy(model, condition, die) {
  const steps = stepper(model, { condition });
  const pixels = [];
  while (steps.place !== null) {
    const chances = Array.from(steps.logProbs(), Math.exp);
    const share = die();
    const level = levelAt(chances, share);
    pixels.push({ chances, share, level });
    steps.put([level]);
  }
  steps.dispose();
  return pixels;
}

const greyOf = (level, levels) =>
  `#${(255 - Math.round((231 * level) / (levels - 1))).toString(16).padStart(2, '0').repeat(3)}`;

const rectangle = ({ x, y, width, height, fill, rest = '' }, inside = '') =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}"${rest}${inside === '' ? '/>' : `>${inside}</rect>`}`;

const words = (x, y, text, { size = 15, fill = COLOUR.text, rest = '' } = {}, inside = '') =>
  `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}"${rest}>${text}${inside}</text>`;

/** @returns {Promise<string>} */
export async function drawingSvg() {
  const model = readPortable(new Uint8Array(await readFile(MODEL)));
  const { levels } = model;
  const [, columns] = model.imageShape;
  const pixels = drawnBy(model, CLASS, randomOf(SEED));

  const starts = [];
  let time = 0;
  for (const { chances } of pixels) {
    starts.push(time);
    time += secondsFor(chances.reduce((sum, p) => (p > 0 ? sum - p * Math.log2(p) : sum), 0));
  }
  const [whole, total] = [time, time + STAYS];
  const share = (seconds) => Number((seconds / total).toFixed(4));
  const fallOf = (i) => starts[i] + FALLS * ((starts[i + 1] ?? whole) - starts[i]);

  /** Sets an attribute at times, [seconds, value], the first at 0. Omits changes to an equal value. */
  const steps = (name, changes, element = 'animate', type = '') => {
    const kept = changes.filter(([, value], i) => i === 0 || value !== changes[i - 1][1]);
    const values = kept.map(([, value]) => value).join(';');
    const times = kept.map(([seconds]) => share(seconds)).join(';');
    return `<${element} attributeName="${name}"${type} calcMode="discrete" dur="${total.toFixed(2)}s" repeatCount="indefinite" values="${values}" keyTimes="${times}"/>`;
  };
  const shownFrom = (seconds) =>
    steps('visibility', [
      [0, 'hidden'],
      [seconds, 'visible'],
    ]);
  const shownUntil = (seconds) =>
    steps('visibility', [
      [0, 'visible'],
      [seconds, 'hidden'],
    ]);

  const placeOf = (i) => [
    PICTURE.x + (i % columns) * PICTURE.cell,
    PICTURE.y + Math.floor(i / columns) * PICTURE.cell,
  ];
  const square = (i, fill, inside) => {
    const [x, y] = placeOf(i);
    const side = PICTURE.cell - PICTURE.gap;
    return rectangle({ x, y, width: side, height: side, fill }, inside);
  };
  const blanks = pixels.map((_, i) => square(i, COLOUR.blank));
  const squares = pixels.map(({ level }, i) =>
    square(i, greyOf(level, levels), shownFrom(starts[i + 1] ?? whole)),
  );
  const stillSquares = pixels.map(({ level }, i) => square(i, greyOf(level, levels)));
  const [markX, markY] = [0, 1].map((axis) =>
    steps(
      ['x', 'y'][axis],
      pixels.map((_, i) => [starts[i], placeOf(i)[axis]]),
    ),
  );
  const mark = rectangle(
    {
      ...{
        x: PICTURE.x,
        y: PICTURE.y,
        width: PICTURE.cell - PICTURE.gap,
        height: PICTURE.cell - PICTURE.gap,
      },
      fill: 'none',
      rest: ` stroke="${COLOUR.accent}" stroke-width="4"`,
    },
    markX + markY + shownUntil(whole),
  );

  const bars = Array.from({ length: levels }, (_, level) => {
    const x = BARS.x + level * BARS.pitch;
    const heights = pixels.map(({ chances }, i) => [
      starts[i],
      `1 ${Math.max(0.008, chances[level] / Math.max(...chances)).toFixed(3)}`,
    ]);
    const fills = pixels.flatMap(({ level: hit }, i) =>
      hit === level
        ? [
            [fallOf(i), COLOUR.accent],
            [starts[i + 1] ?? whole, COLOUR.bar],
          ]
        : [],
    );
    const colours = fills.length === 0 ? '' : steps('fill', [[0, COLOUR.bar], ...fills]);
    const bar = rectangle(
      { x: 0, y: -BARS.height, width: BARS.width, height: BARS.height, fill: COLOUR.bar },
      colours + steps('transform', heights, 'animateTransform', ' type="scale"'),
    );
    const swatch = rectangle({
      ...{ x, y: BARS.foot + 8, width: BARS.width, height: BARS.width },
      fill: greyOf(level, levels),
      rest: ` stroke="${COLOUR.line}" rx="3"`,
    });
    return `<g transform="translate(${x} ${BARS.foot})">${bar}</g>\n${swatch}`;
  });

  const stripWidth = (levels - 1) * BARS.pitch + BARS.width;
  const ends = pixels.map(({ chances }) => {
    let sum = 0;
    return chances.map((chance) => {
      sum += chance;
      return Math.round(stripWidth * Math.min(1, sum));
    });
  });
  // The last shade lies at the bottom, as wide as the strip, and each earlier one on top of the next.
  const strip = Array.from({ length: levels }, (_, i) => levels - 1 - i).map((level) =>
    rectangle(
      { x: BARS.x, y: STRIP.y, width: stripWidth, height: STRIP.height, fill: greyOf(level, levels) },
      steps(
        'width',
        ends.map((end, i) => [starts[i], level === levels - 1 ? stripWidth : end[level]]),
      ),
    ),
  );
  const outline = rectangle({
    ...{ x: BARS.x, y: STRIP.y, width: stripWidth, height: STRIP.height },
    fill: 'none',
    rest: ` stroke="${COLOUR.line}"`,
  });
  const needle = rectangle(
    {
      x: BARS.x,
      y: STRIP.y - 5,
      width: 4,
      height: STRIP.height + 10,
      fill: COLOUR.accent,
      rest: ` stroke="${COLOUR.paper}" rx="2"`,
    },
    steps('x', [
      [0, BARS.x - 2],
      ...pixels.map(({ share }, i) => [fallOf(i), Math.round(BARS.x - 2 + stripWidth * share)]),
    ]) +
      steps('visibility', [
        ...pixels.flatMap((_, i) => [
          [starts[i], 'hidden'],
          [fallOf(i), 'visible'],
        ]),
        [whole, 'hidden'],
      ]),
  );

  const bits = pixels.reduce((sum, { chances, level }) => sum - Math.log2(chances[level]), 0);
  const verdict = (rest = '', inside = '') =>
    `<g${rest}>${inside}${[
      words(BARS.x, 150, 'A picture nobody has drawn before.', { size: 20, rest: ' font-weight="600"' }),
      words(BARS.x, 186, `The model draws it once in ${oddsOf(bits)} times.`, {
        size: 16,
        fill: COLOUR.muted,
      }),
    ].join('\n')}</g>`;
  const title =
    'A digit is drawn pixel by pixel: for each pixel the model says how likely each shade is, and a die decides';

  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif">
<title>${title}</title>
<style>.still{display:none}@media (prefers-reduced-motion:reduce){.moves{display:none}.still{display:inline}}</style>
<rect width="${WIDTH}" height="${HEIGHT}" rx="12" fill="${COLOUR.paper}"/>
${words(PICTURE.x, 36, 'The picture so far', { rest: ' font-weight="600"' })}
${blanks.join('\n')}
<g class="still">
${stillSquares.join('\n')}
${verdict()}
</g>
<g class="moves">
${squares.join('\n')}
${mark}
${verdict(' visibility="hidden"', shownFrom(whole))}
<g>${shownUntil(whole)}
${words(BARS.x, 36, 'How likely is each shade of the next pixel?', { rest: ' font-weight="600"' })}
${bars.join('\n')}
${words(BARS.x, STRIP.y - 12, 'A die falls on this strip: likely shades have more room', { size: 13, fill: COLOUR.muted })}
${strip.join('\n')}
${outline}
${needle}
</g>
</g>
</svg>
`;
}
