import { imageSet } from 'pixelcnn-layers/data';
import { IMAGE_SHAPE, LEVELS, readDigits } from '../digits.mjs';

/** The embedded digits, with their classes. */
export async function digits() {
  const [train, test] = await Promise.all([part('train'), part('test')]);
  return { train, test, about: 'handwritten digits, optical recognition (UCI, CC BY 4.0)' };
}

async function part(name) {
  const { images, labels } = await readDigits(name);
  return imageSet({ data: images, shape: [labels.length, ...IMAGE_SHAPE], levels: LEVELS, labels });
}
