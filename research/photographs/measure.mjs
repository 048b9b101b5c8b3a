// Compresses photographs, in tiles on all cores, by a network of train.mjs, beside JPEG XL, WebP and PNG: bits a value, and seconds a
// megapixel each way, for each photograph, means with their standard errors, and medians of times. Needs Debian's zopfli, webp and libjxl-tools.
//
//   npm run build && node research/photographs/measure.mjs --model out/photographs.pixelcnn --photographs data/photographs/test
//     [--tile 128] [--workers 2] [--figures out/photographs.json]
//
// The model takes images of any size; tiles at the right and the bottom are smaller. Each is coded by itself, as an image.

import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createPool, readPortable } from 'pixelcnn-layers/runtime';
import { PNG } from 'pngjs';
import { inTemporaryFolder, readFlags } from '../../tests/bench/lib/benchmark.mjs';
import { codeFile, IMAGE_CODECS, plainPng } from '../../tests/bench/lib/image-codecs.mjs';
import { markdownTable } from '../../tests/bench/lib/report.mjs';

const flags = readFlags({
  model: '',
  photographs: '',
  tile: 128,
  workers: 2,
  figures: 'out/photographs.json',
});
const model = readPortable(await readFile(flags.model));

/** The levels of a photograph, [H,W,3]. */
async function readPhotograph(file) {
  const { width, height, data } = PNG.sync.read(await readFile(file)); // [H,W,4]
  return { height, width, levels: data.filter((_, i) => i % 4 < 3) };
}

/** Tiles of a photograph, those of one size together: [tiles,h,w,3]. */
function tilesOf({ height, width, levels }) {
  const bySize = new Map();
  for (let top = 0; top < height; top += flags.tile) {
    for (let left = 0; left < width; left += flags.tile) {
      const [h, w] = [Math.min(flags.tile, height - top), Math.min(flags.tile, width - left)];
      const rows = Array.from({ length: h }, (_, row) => 3 * ((top + row) * width + left));
      const size = `${h}x${w}`;
      if (!bySize.has(size)) bySize.set(size, { h, w, tiles: [] });
      bySize.get(size).tiles.push(...rows.map((from) => levels.subarray(from, from + 3 * w)));
    }
  }
  return Array.from(bySize.values(), ({ h, w, tiles }) => ({
    data: Uint8Array.from(Buffer.concat(tiles)),
    shape: [tiles.length / h, h, w, 3],
  }));
}

async function timed(act) {
  const start = performance.now();
  return [await act(), (performance.now() - start) / 1000];
}

const inSeconds = ({ bytes, encode, decode }) => ({ bytes, encode: encode / 1000, decode: decode / 1000 });

/** Bits a value, and seconds a megapixel to compress and to decompress. */
const figuresOf = ({ bytes, encode, decode }, { levels }) => [
  (8 * bytes) / levels.length,
  (3e6 * encode) / levels.length,
  (3e6 * decode) / levels.length,
];

/** Our figures of a photograph. */
async function codeTiles(pool, photograph) {
  const tiles = tilesOf(photograph);
  const [files, encode] = await timed(() => Promise.all(tiles.map((of) => pool.compress(model, of))));
  const [decoded, decode] = await timed(() => Promise.all(files.map((file) => pool.decompress(model, file))));
  for (const [i, { data }] of decoded.entries())
    if (Buffer.compare(data, tiles[i].data) !== 0) throw new Error('decompressed to something else');
  return { bytes: files.reduce((sum, file) => sum + file.length, 0), encode, decode };
}

const names = (await readdir(flags.photographs)).filter((file) => file.endsWith('.png')).sort();
const codecs = [`${basename(flags.model)}, tiles of ${flags.tile}`, ...Object.keys(IMAGE_CODECS)];
/**
 * By photograph and codec. The file keeps them, so that a run that was stopped goes on, and another network has only its own left to
 * measure, if its file has another name.
 */
const figures = existsSync(flags.figures) ? JSON.parse(await readFile(flags.figures, 'utf8')) : {};
await mkdir(dirname(flags.figures), { recursive: true });
const pool = createPool({ workers: flags.workers });
await inTemporaryFolder(async (folder) => {
  for (const codec of codecs) {
    for (const name of names) {
      figures[name] ??= {};
      if (figures[name][codec]) continue;
      const photograph = await readPhotograph(join(flags.photographs, name));
      const { height, width, levels } = photograph;
      const png = join(folder, name);
      await writeFile(png, plainPng(levels, [height, width, 3]));
      const program = IMAGE_CODECS[codec];
      const coded = program ? inSeconds(await codeFile(program, png)) : await codeTiles(pool, photograph);
      figures[name][codec] = figuresOf(coded, photograph);
      console.error(`${name}, ${codec}: ${figures[name][codec].map((x) => x.toFixed(3)).join(', ')}`);
      await writeFile(flags.figures, JSON.stringify(figures, null, 2));
    }
  }
});
await pool.dispose();

const rows = names.map((name) => ({ name: name.slice(0, -4), ...figures[name] }));
const mean = (numbers) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const errorOf = (numbers) =>
  Math.sqrt(mean(numbers.map((x) => (x - mean(numbers)) ** 2)) / (numbers.length - 1));
const column = (codec, figure) => rows.map((row) => row[codec][figure]);
const withError = (numbers, digits) =>
  `${mean(numbers).toFixed(digits)} ± ${errorOf(numbers).toFixed(digits)}`;
const [, jpegXl] = codecs;
console.log(
  markdownTable(
    ['bits a value', ...codecs],
    [
      ...rows.map((row) => [row.name, ...codecs.map((codec) => row[codec][0].toFixed(3))]),
      ['mean', ...codecs.map((codec) => withError(column(codec, 0), 3))],
      [
        `in ${jpegXl}`,
        ...codecs.map((codec) =>
          withError(
            rows.map((row) => row[codec][0] / row[jpegXl][0]),
            3,
          ),
        ),
      ],
      ['compress, s a megapixel, median', ...codecs.map((codec) => median(column(codec, 1)).toFixed(1))],
      ['decompress, s a megapixel, median', ...codecs.map((codec) => median(column(codec, 2)).toFixed(1))],
    ],
  ),
);
