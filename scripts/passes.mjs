// Records how one image is drawn by whole passes, and how many are drawn incrementally meanwhile, and draws both as README's animation.

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadModel, sample } from 'pixelcnn-layers';
import { fileSystem } from 'pixelcnn-layers/node';
import { PNG } from 'pngjs';
import { useBackend } from '../kit/runs/backend.mjs';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const SIDE = 8; // pixels of an image
const ROUNDS = 15;
const TEMPERATURE = 0.8;
/** Seconds of the animation: drawing, and all, with a look at the end. */
const [DRAWING, WHOLE] = [10, 13];
const [WIDTH, PANEL, TOP, GAP, MARGIN] = [640, 272, 44, 32, 32];
const THEMES = {
  light: { ground: '#ffffff', paper: '#f3f1ec', ink: [24, 24, 26], text: '#1a1c24', faint: '#656a76' },
  dark: { ground: '#0d1117', paper: '#1b2029', ink: [240, 243, 246], text: '#f0f3f6', faint: '#9198a1' },
};

await useBackend('wasm');
const model = await loadModel(fileSystem(at('models/digits')));

/** Draws one image, and says how long it took. */
async function draw(seed, strategy) {
  const start = performance.now();
  const image = await sample(model, { seed, strategy, temperature: TEMPERATURE }); // int32 [1,8,8,1]
  const levels = await image.data();
  const time = performance.now() - start;
  image.dispose();
  return { levels, time };
}

// Both in turn: what else the machine does falls on both alike.
const times = { full: [], incremental: [] };
for (let round = 0; round < ROUNDS; round++)
  for (const [strategy, all] of Object.entries(times)) all.push((await draw(1, strategy)).time);
const [full, incremental] = Object.values(times).map((all) => all.sort((a, b) => a - b)[(ROUNDS - 1) / 2]);
const columns = Math.min(10, Math.floor(Math.sqrt(full / incremental))); // as many as were drawn meanwhile, up to a hundred
const count = columns ** 2;
const images = [];
for (let n = 0; n < count; n++) images.push((await draw(n + 1, 'incremental')).levels);
const { levels: whole } = await draw(1, 'full');
if (whole.some((level, i) => level !== images[0][i])) throw new Error('wanted the same image by both');
console.log(`whole passes ${full.toFixed(2)} ms an image, incrementally ${incremental.toFixed(2)} ms`);

/** Images side by side as a PNG: ink of a theme, the more of it the higher the level. */
function sheet(all, across, ink) {
  const pitch = across === 1 ? SIDE : SIDE + 1;
  const png = new PNG({ width: across * pitch, height: Math.ceil(all.length / across) * pitch });
  for (const [n, levels] of all.entries())
    for (const [i, level] of levels.entries()) {
      const x = (n % across) * pitch + (i % SIDE);
      const y = Math.floor(n / across) * pitch + Math.floor(i / SIDE);
      png.data.set([...ink, Math.round((255 * level) / (model.levels - 1))], 4 * (y * png.width + x));
    }
  return `data:image/png;base64,${PNG.sync.write(png).toString('base64')}`;
}

/** A panel, of which cells appear row by row in the given time; and how far it is. */
function panel(name, { x, picture, across, seconds, title, unit, total, end, theme }) {
  const side = PANEL / across;
  const percent = (time) => `${((100 * time) / WHOLE).toFixed(3)}%`;
  const rows = [...Array(across).keys()];
  const covers = rows.map(
    (row) =>
      `<rect class="cover" style="animation-name:${name}${row}" x="${x}" y="${TOP + row * side}" width="${PANEL}" height="${side + 1}" fill="${theme.paper}"/>`,
  );
  const [begin, finish] = [(row) => (row * seconds) / across, (row) => ((row + 1) * seconds) / across];
  const frames = rows.map(
    (row) =>
      `@keyframes ${name}${row}{0%,${percent(begin(row))}{transform:scaleX(1);animation-timing-function:steps(${across})}${percent(finish(row))},100%{transform:scaleX(0)}}`,
  );
  const height = 24;
  const counts = Array.from(
    { length: total },
    (_, n) => `<text y="${n * height + 17}">${unit(n + 1)}</text>`,
  );
  frames.push(
    `@keyframes ${name}{0%{transform:translateY(0);animation-timing-function:steps(${total - 1})}${percent(seconds)},100%{transform:translateY(${-(total - 1) * height}px)}}`,
  );
  const shapes = `<text x="${x}" y="28" font-size="16" font-weight="600" fill="${theme.text}">${title}</text>
<rect x="${x}" y="${TOP}" width="${PANEL}" height="${PANEL}" fill="${theme.paper}"/>
<image x="${x}" y="${TOP}" width="${PANEL}" height="${PANEL}" href="${picture}" style="image-rendering:pixelated"/>
${covers.join('\n')}
<svg x="${x}" y="${TOP + PANEL + 8}" width="${PANEL}" height="${height}" fill="${theme.text}" font-size="15"><g class="count" style="animation-name:${name}">${counts.join('')}</g></svg>
<text x="${x}" y="${TOP + PANEL + 52}" font-size="13" fill="${theme.faint}">${end}</text>`;
  return { frames, shapes };
}

for (const [name, theme] of Object.entries(THEMES)) {
  const left = panel('w', {
    x: MARGIN,
    picture: sheet([whole], 1, theme.ink),
    across: SIDE,
    seconds: DRAWING,
    title: 'A whole pass for each pixel',
    unit: (n) =>
      `${n} ${n === 1 ? 'pass' : 'passes'}, ${n < SIDE ** 2 ? 0 : 1} images`.replace('1 images', '1 image'),
    total: SIDE ** 2,
    end: `${full.toFixed(0)} ms an image`,
    theme,
  });
  const right = panel('i', {
    x: MARGIN + PANEL + GAP,
    picture: sheet(images, columns, theme.ink),
    across: columns,
    seconds: (DRAWING * count * incremental) / full,
    title: 'Only what is new at each pixel',
    unit: (n) => `${n} ${n === 1 ? 'pass, 1 image' : `passes, ${n} images`}`,
    total: count,
    end: `${incremental.toFixed(1)} ms an image, the same bits`,
    theme,
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="384" viewBox="0 0 ${WIDTH} 384" font-family="system-ui, sans-serif">
<title>By whole passes, one digit is drawn in ${SIDE ** 2} passes of the network; incrementally, ${count} digits are drawn meanwhile, each in one pass</title>
<style>.cover,.count{animation-duration:${WHOLE}s;animation-iteration-count:infinite}.cover{transform-box:fill-box;transform-origin:right}
${[...left.frames, ...right.frames].join('\n')}
@media (prefers-reduced-motion:reduce){.cover,.count{animation-play-state:paused;animation-delay:-${WHOLE - 1}s}}</style>
<rect width="${WIDTH}" height="384" rx="12" fill="${theme.ground}"/>
${left.shapes}
${right.shapes}
</svg>
`;
  writeFileSync(at(`docs/images/passes-${name}.svg`), svg);
}
model.dispose();
