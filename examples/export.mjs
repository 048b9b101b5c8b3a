// Turns a saved model into one file that needs no tfjs: `node examples/export.mjs --help`.

import { toPortable } from 'pixelcnn-layers';
import { writePortable } from 'pixelcnn-layers/runtime';
import { outputFile, parseFlags, pathTo } from '../kit/flags/flags.mjs';
import { loadImageModel } from '../kit/models/saved-model.mjs';
import { useBackend } from '../kit/runs/backend.mjs';
import { prepareFile, writeWhole } from '../kit/runs/files.mjs';

const help = `Turns a saved model into one file, which pixelcnn-layers/runtime draws from without tfjs.

  node examples/export.mjs --model DIR --out FILE

  --model DIR   a saved model, or a run of train.mjs or pytorch/train.py
  --out FILE    conventionally NAME.pixelcnn
  --float32     keeps the weights as they are: twice the size. Else they are rounded to float16
  --help        prints this
`;
const flags = parseFlags(
  {
    model: { type: 'string' },
    out: { type: 'string' },
    float32: { type: 'boolean', default: false },
    help: { type: 'boolean' },
  },
  help,
  process.argv.slice(2),
);
const directory = pathTo('the directory of a model', '--model', flags.model);
const out = outputFile('--out', flags.out);

await useBackend('cpu');
await prepareFile(out);
const { model, orientations, palette } = await loadImageModel(directory);
const portable = await toPortable(orientations ?? model, { palette });
const bytes = writePortable(portable, { float16: !flags.float32 });
await writeWhole(out, bytes);
console.log(`${out}: ${Math.round(bytes.length / 1000)} kB`);
