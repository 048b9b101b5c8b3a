// Makes the maps to train on, in NumPy's format: `node examples/tiles/make-data.mjs --out DIR`.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { command, outputDirectory, wholeNumber } from '../../kit/flags.mjs';
import { prepareFile, writeWhole } from '../../kit/runs/files.mjs';
import { npyOf } from '../../kit/weights/npy.mjs';
import { makeMaps } from './generator.mjs';
import { mapsOf, SIDE, turned } from './tiles.mjs';

const {
  out,
  maps: numMaps,
  seed,
} = command(
  'examples/tiles/make-data.mjs',
  'Makes train.npy and test.npy of 32x32 maps of 12 kinds of tile, for research/pytorch/train.py.',
)
  .option('--out <dir>', 'of both files', outputDirectory(), 'out/tiles')
  .option(
    '--maps <n>',
    'to train on, each in all eight orientations; and a sixteenth as many to test',
    wholeNumber(1),
    3072,
  )
  .option('--seed <n>', 'of the maps', wholeNumber(0), 1)
  .parse()
  .opts();
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
