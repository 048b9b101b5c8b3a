// Prints invented characters, in blocks that are two pixels high: `npm start`.

import { loadPortable, sample } from 'pixelcnn-layers/runtime';
import { modelURL } from 'pixelcnn-models';

const model = await loadPortable(modelURL('characters'));
// 24x24 pixels of paper, 0, or ink, 1: [3, 24, 24, 1]
const { data } = await sample(model, { numImages: 3, temperature: 0.8 });

for (let row = 0; row < 24; row += 2) {
  const line = [];
  for (let i = 0; i < 3 * 24; i++) {
    const upper = 576 * Math.floor(i / 24) + 24 * row + (i % 24); // a pixel, above one of the next row
    line.push(' ▀▄█'[data[upper] + 2 * data[upper + 24]]);
  }
  console.log(line.join(''));
}
