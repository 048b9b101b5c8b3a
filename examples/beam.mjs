// Finds the most likely completions of a digit, by beam search on a stepper: node examples/beam.mjs [--out file.png]
import { readFile } from 'node:fs/promises';
import { readPortable, stepper } from 'pixelcnn-layers/runtime';
import { readDigits } from '../kit/data/digits.mjs';
import { outputFile, parseFlags } from '../kit/flags/flags.mjs';
import { gridPng } from '../kit/pictures/png.mjs';
import { prepareFile, writeWhole } from '../kit/runs/files.mjs';

const BEAMS = 64;
const options = { out: { type: 'string', default: 'out/beam.png' }, help: { type: 'boolean' } };
const flags = parseFlags(options, 'node examples/beam.mjs [--out file.png]\n', process.argv.slice(2));
const file = outputFile('--out', flags.out);
await prepareFile(file);
const model = readPortable(await readFile(new URL('models/digits.pixelcnn', import.meta.url)));
const digit = (await readDigits('test')).images.subarray(0, 64); // 8x8: the upper half is kept
const beams = stepper(model, { numImages: BEAMS });
// There is one path at first: the others have probability 0 until it branches.
let paths = Array.from({ length: BEAMS }, (_, i) => ({ levels: [], nats: i === 0 ? 0 : -Infinity }));
for (let index = 0; index < digit.length; index++) {
  const logProbs = beams.logProbs(); // [BEAMS * levels]
  const candidates = paths.flatMap(({ nats }, beam) =>
    Array.from({ length: model.levels }, (_, level) => {
      const isAllowed = index >= 32 || level === digit[index];
      return { beam, level, nats: isAllowed ? nats + logProbs[beam * model.levels + level] : -Infinity };
    }),
  );
  const kept = candidates.sort((a, b) => b.nats - a.nats || 0).slice(0, BEAMS);
  paths = kept.map(({ beam, level, nats }) => ({ levels: [...paths[beam].levels, level], nats }));
  beams.copy(kept.map(({ beam }) => beam));
  beams.put(kept.map(({ level }) => level));
}
beams.dispose();
const images = paths.slice(0, 8).flatMap(({ levels }) => levels);
const known = images.map((_, i) => Number(i % 64 < 32));
await writeWhole(file, gridPng({ images, known, imageShape: [8, 8], levels: model.levels, columns: 8 }));
console.log(`${paths.slice(0, 8).map(({ nats }) => nats.toFixed(2)).join(' ')} nats, written to ${file}`); // biome-ignore format: one line
