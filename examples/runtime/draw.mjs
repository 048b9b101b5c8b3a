// Draws 2,000 digits on all cores, without tfjs: node examples/runtime/draw.mjs [file.png]
import { createPool, loadPortable } from 'pixelcnn-layers/runtime';
import { command, outputFile } from '../../kit/flags.mjs';
import { gridPng } from '../../kit/pictures/png.mjs';
import { prepareFile, writeWhole } from '../../kit/runs/files.mjs';
import { progressBar } from '../../kit/runs/progress.mjs';

const [file] = command('examples/runtime/draw.mjs', 'Draws 2,000 digits on all cores, without tfjs.')
  .argument('[file]', 'the picture, a PNG', outputFile(), 'out/digits.png')
  .parse().processedArgs;
await prepareFile(file);
const model = await loadPortable(new URL('../models/digits.pixelcnn', import.meta.url));
const bar = progressBar('{bar} {percentage} %, {eta} s left');
const onProgress = ({ done }) => bar.update(done);
bar.start(64, 0); // values of an image
const { levels, palette, imageShape } = model;
const { data } = await createPool().sample(model, { numImages: 2000, seed: 1, onProgress });
bar.stop();
await writeWhole(file, gridPng({ images: data, imageShape, levels, palette, columns: 50, scale: 2, gap: 2 })); // biome-ignore format: one line
console.log(`2000 digits, written to ${file}`);
