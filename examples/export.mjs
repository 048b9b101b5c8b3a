// Turns a saved model into one file that needs no tfjs: `node examples/export.mjs --help`.

import { toPortable } from 'pixelcnn-layers';
import { writePortable } from 'pixelcnn-layers/runtime';
import { command, outputFile, text } from '../kit/flags.mjs';
import { loadImageModel } from '../kit/models/saved-model.mjs';
import { useBackend } from '../kit/runs/backend.mjs';
import { prepareFile, writeWhole } from '../kit/runs/files.mjs';

const {
  model: directory,
  out,
  float32,
} = command(
  'examples/export.mjs',
  'Turns a saved model into one file, which pixelcnn-layers/runtime draws from without tfjs.',
)
  .requiredOption(
    '--model <dir>',
    'a saved model, or a run of train.mjs or pytorch/train.py',
    text('the directory of a model'),
  )
  .requiredOption('--out <file>', 'conventionally NAME.pixelcnn', outputFile())
  .option('--float32', 'keeps the weights as they are: twice the size. Else they are rounded to float16')
  .parse()
  .opts();

await useBackend('cpu');
await prepareFile(out);
const { model, orientations, palette } = await loadImageModel(directory);
const portable = await toPortable(orientations ?? model, { palette });
const bytes = writePortable(portable, { float16: !float32 });
await writeWhole(out, bytes);
console.log(`${out}: ${Math.round(bytes.length / 1000)} kB`);
