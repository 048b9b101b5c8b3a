// Turns a saved model into one file that needs no tfjs: `node examples/export.mjs --help`.

import { toPortable } from 'pixelcnn-layers';
import { writePortable } from 'pixelcnn-layers/runtime';
import { useBackend } from './lib/backend.mjs';
import { writeWhole } from './lib/files.mjs';
import { parseFlags, stop } from './lib/flags.mjs';
import { loadImageModel } from './lib/saved-model.mjs';

const help = `Turns a saved model into one file, which pixelcnn-layers/runtime draws from without tfjs.

  node examples/export.mjs --model DIR --out FILE

  --model DIR   a saved model, or a run of train.mjs
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
if (!flags.model || !flags.out) stop('--model and --out are wanted; --help lists the flags');

const orStop = (promise) => promise.catch(({ message }) => stop(message));
await orStop(useBackend('cpu'));
const { model } = await orStop(loadImageModel(flags.model));
const portable = await orStop(toPortable(model));
const bytes = writePortable(portable, { float16: !flags.float32 });
await orStop(writeWhole(flags.out, bytes));
console.log(`${flags.out}: ${Math.round(bytes.length / 1000)} kB`);
