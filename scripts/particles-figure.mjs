// Draws how particles look ahead, for docs/images/particles.svg: `npm run figures`. The weights are
// invented; systematic resampling decides which particles survive.

const COLOUR = { text: '#3b4454', faint: '#9aa5b6', drawn: '#181820', given: '#143e8c', gone: '#c0563b' };
/** The distance between values, and between particles. */
const [COLUMN, ROW] = [58, 34];
const [LEFT, TOP] = [150, 66];

/** What happens at each value: particles draw, or are weighted by a given level. */
const VALUES = [
  { drawn: true },
  { drawn: true },
  { weights: [0.34, 0.02, 0.3, 0.02, 0.3, 0.02], u: 0.5 },
  { drawn: true },
  { weights: [0.05, 0.15, 0.1, 0.5, 0.15, 0.05], u: 0.55, isLast: true },
  { drawn: true },
];
const NUM_PARTICLES = 6;

/**
 * The particle that replaces each one, by weights that sum to 1. Survivors stay in place, and their copies
 * replace the others.
 */
function resampled(weights, u) {
  const times = weights.map(() => 0);
  for (let k = 0; k < weights.length; k++) {
    let [p, cumulative] = [0, weights[0]];
    while (cumulative <= (k + u) / weights.length) cumulative += weights[++p];
    times[p]++;
  }
  const copies = times.flatMap((count, p) => new Array(Math.max(0, count - 1)).fill(p));
  return times.map((count, p) => (count > 0 ? p : copies.shift()));
}

/** The first particle whose cumulative weight exceeds u. */
function taken(weights, u) {
  let [p, cumulative] = [0, weights[0]];
  while (cumulative <= u) cumulative += weights[++p];
  return p;
}

const x = (index) => LEFT + index * COLUMN;
const y = (particle) => TOP + particle * ROW;
const line = (x1, y1, x2, y2, colour) =>
  `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${colour}" stroke-width="1.5"/>`;
const text = (at, top, words, anchor = 'middle') =>
  `<text x="${at}" y="${top}" fill="${COLOUR.text}" text-anchor="${anchor}">${words}</text>`;

/** The picture. */
export function particlesSvg() {
  const parts = [];
  let alive = Array.from({ length: NUM_PARTICLES }, (_, p) => p);
  for (const [index, { weights, u, isLast }] of VALUES.entries()) {
    const from = weights === undefined ? null : resampled(weights, u);
    const one = isLast ? taken(weights, u) : null;
    for (const p of alive) {
      const isGone = isLast ? p !== one : from !== null && from[p] !== p;
      const radius = weights === undefined ? 5 : 3 + 10 * Math.sqrt(weights[p]);
      const fill = weights === undefined ? COLOUR.drawn : isGone ? COLOUR.gone : COLOUR.given;
      parts.push(`<circle cx="${x(index)}" cy="${y(p)}" r="${radius.toFixed(1)}" fill="${fill}"/>`);
      if (index === VALUES.length - 1) continue;
      if (isLast) {
        if (p === one) parts.unshift(line(x(index), y(p), x(index + 1), y(0), COLOUR.faint));
      } else {
        const source = from === null ? p : from[p];
        parts.unshift(line(x(index), y(source), x(index + 1), y(p), COLOUR.faint));
      }
    }
    if (isLast) alive = [0];
    const label = weights === undefined ? 'drawn' : 'given';
    parts.push(text(x(index), y(NUM_PARTICLES) + 6, label));
  }
  for (let p = 0; p < NUM_PARTICLES; p++) {
    parts.push(text(LEFT - 24, y(p) + 5, `particle ${p + 1}`, 'end'));
  }
  const [width, height] = [x(VALUES.length - 1) + 60, y(NUM_PARTICLES) + 24];
  const title = 'Six particles of one image, value by value';
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="14">
<title>${title}</title>
<rect width="${width}" height="${height}" fill="white"/>
${text(width / 2, 30, 'Circles are as large as weights; red ones do not go on')}
${parts.join('\n')}
</svg>
`;
}
