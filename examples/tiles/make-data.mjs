// Makes the maps to train on, in NumPy's format: `node examples/tiles/make-data.mjs --out DIR`.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { outputDirectory, parseFlags, wholeNumber } from '../../kit/flags/flags.mjs';
import { prepareFile, writeWhole } from '../../kit/runs/files.mjs';
import { npyOf } from '../../kit/weights/npy.mjs';
import { makeMaps } from './generator.mjs';
import { mapsOf, SIDE, turned } from './tiles.mjs';

const help = `Makes train.npy and test.npy of 32x32 maps of 12 kinds of tile, for research/pytorch/train.py.

  node examples/tiles/make-data.mjs --out DIR

  --out DIR   (out/tiles)
  --maps N    to train on, each in all eight orientations (3072); and a sixteenth as many to test
  --seed N    (1)
  --help      prints this
`;
const text = (fallback) => ({ type: 'string', default: fallback });
const flags = parseFlags(
  { out: text('out/tiles'), maps: text('3072'), seed: text('1'), help: { type: 'boolean' } },
  help,
  process.argv.slice(2),
);
const out = outputDirectory('--out', flags.out);
const numMaps = wholeNumber('--maps', flags.maps, 1);
const seed = wholeNumber('--seed', flags.seed, 0);
await mkdir(out, { recursive: true });

const train = mapsOf(makeMaps(numMaps, seed)).flatMap((map) =>
  [...Array(8).keys()].map((orientation) => turned(map, orientation)),
);
await write('train', train);
await write('test', mapsOf(makeMaps(Math.ceil(numMaps / 16), seed + 1)));

async function write(part, maps) {
  const data = new Uint8Array(maps.length * SIDE ** 2);
  for (const [n, map] of maps.entries()) data.set(map, n * SIDE ** 2);
  const file = join(out, `${part}.npy`);
  await prepareFile(file);
  await writeWhole(file, npyOf(data, [maps.length, SIDE, SIDE]));
  console.log(`${file}: ${maps.length} maps`);
}
