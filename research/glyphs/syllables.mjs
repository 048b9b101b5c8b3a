/**
 * Whether a network that draws syllables from their parts has learnt what the parts are: how likely held-out syllables are given their own parts, among
 * the parts of all syllables of the font. And pictures of some beside the font, and of some that the font lacks.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createPool, loadPortable } from 'pixelcnn-layers/runtime';
import { command, outputDirectory, wholeNumber } from '../../kit/flags.mjs';
import { gridPng } from '../../kit/pictures/png.mjs';
import { prepareFile, writeWhole } from '../../kit/runs/files.mjs';
import { parseNpy } from '../../kit/weights/npy.mjs';

const flags = command(
  'research/glyphs/syllables.mjs',
  'Asks a network of Korean syllables which of all syllables of the font a held-out one is.',
)
  .requiredOption('--model <file>', 'a .pixelcnn of a network conditioned on the parts of syllables')
  .requiredOption('--data <dir>', 'what make-data.py wrote: images and vectors')
  .option('--images <n>', 'held-out syllables to ask about, the first N', wholeNumber(1), 235)
  .option('--out <dir>', 'where the pictures go', outputDirectory(), 'out/syllables')
  .parse()
  .opts();
const PARTS = [19, 21, 28];
const SIZE = PARTS.reduce((sum, count) => sum + count);
/** Syllables side by side in a picture, and rows of pairs or of new ones. */
const [COLUMNS, ROWS] = [12, 4];

const model = await loadPortable(flags.model);
const [train, test] = await Promise.all(['train', 'test'].map(read));
const known = Float32Array.from([...test.vectors, ...train.vectors]); // the held-out ones first
const count = known.length / SIZE;
const numImages = Math.min(flags.images, test.vectors.length / SIZE);
await mkdir(flags.out, { recursive: true });

const pool = createPool();
try {
  const ranks = [];
  for (let n = 0; n < numImages; n++) {
    const data = new Uint8Array(count * test.size);
    for (let k = 0; k < count; k++)
      data.set(test.images.subarray(n * test.size, (n + 1) * test.size), k * test.size);
    const nats = await pool.logProb(model, { data, shape: [count, ...model.imageShape] }, { condition: { data: known, shape: [count, SIZE] } }); // biome-ignore format: one line
    ranks.push(nats.filter((value) => value > nats[n]).length);
    process.stdout.write(`\r${n + 1} of ${numImages}: ${share(ranks, 0)} right `);
  }
  console.log(
    `\n${numImages} held-out syllables, among ${count}: ${share(ranks, 0)} likeliest given their own parts, ${share(ranks, 4)} among the first five`,
  );
  const nats = await pool.logProb(
    model,
    { data: test.images, shape: [test.vectors.length / SIZE, ...model.imageShape] },
    { condition: { data: Float32Array.from(test.vectors), shape: [test.vectors.length / SIZE, SIZE] } },
  );
  const bits = -nats.reduce((sum, value) => sum + value, 0) / test.images.length / Math.LN2;
  console.log(`${bits.toFixed(4)} bits/dim on all ${test.vectors.length / SIZE}`);

  const shown = COLUMNS * ROWS;
  const drawn = await draw(test.vectors.subarray(0, shown * SIZE), shown);
  const pairs = Array.from({ length: 2 * ROWS }, (_, row) => {
    const from = row % 2 === 0 ? test.images : drawn;
    const start = Math.floor(row / 2) * COLUMNS * test.size;
    return [...from.subarray(start, start + COLUMNS * test.size)];
  });
  await picture('held-out.png', pairs.flat());
  await picture('new.png', [...(await draw(unknownVectors(shown), shown))]);
} finally {
  await pool.dispose();
}

/** Images and vectors of a part of the data. */
async function read(part) {
  const [images, vectors] = await Promise.all(
    [part, `${part}-vectors`].map(async (name) => parseNpy(await readFile(join(flags.data, `${name}.npy`)))),
  );
  return { images: Uint8Array.from(images.data), vectors: Uint8Array.from(vectors.data), size: images.data.length / images.shape[0] }; // biome-ignore format: one line
}

/** Draws syllables of such parts at temperature 0.5, which favours what is likely. */
async function draw(vectors, numImages) {
  const condition = { data: Float32Array.from(vectors), shape: [numImages, SIZE] };
  const { data } = await pool.sample(model, { numImages, seed: 1, temperature: 0.5, condition });
  return Uint8Array.from(data);
}

/** Vectors of syllables that the font lacks, spread over all that Unicode has. */
function unknownVectors(numImages) {
  const inFont = new Set(
    Array.from({ length: count }, (_, k) => known.subarray(k * SIZE, (k + 1) * SIZE).join()),
  );
  const all = Array.from({ length: PARTS[0] * PARTS[1] * PARTS[2] }, (_, syllable) => {
    const parts = [Math.floor(syllable / (PARTS[1] * PARTS[2])), Math.floor(syllable / PARTS[2]) % PARTS[1], syllable % PARTS[2]]; // biome-ignore format: one line
    return PARTS.flatMap((count, i) =>
      Array.from({ length: count }, (_, part) => (part === parts[i] ? 1 : 0)),
    );
  }).filter((vector) => !inFont.has(vector.join()));
  console.log(`${all.length} syllables are not in the font`);
  return Uint8Array.from(Array.from({ length: numImages }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / numImages)]).flat()); // biome-ignore format: one line
}

async function picture(name, images) {
  const out = join(flags.out, name);
  await prepareFile(out);
  await writeWhole(
    out,
    gridPng({ images, imageShape: model.imageShape, levels: 2, columns: COLUMNS, scale: 2, gap: 6 }),
  );
  console.log(out);
}

function share(ranks, most) {
  const percent = (100 * ranks.filter((rank) => rank <= most).length) / ranks.length;
  return `${percent.toFixed(1)} %`;
}
