import { type AutoregressiveModel, pixelCNNPlusPlus } from 'pixelcnn-layers';
import { loadWeights, readSafetensors } from 'pixelcnn-layers/weights';
import gray from '../golden/pixelcnn-plus-plus/pp_gray.json';
import colour from '../golden/pixelcnn-plus-plus/pp_rgb.json';
import { bytesOf } from './files';

/** What a public PyTorch implementation of PixelCNN++ gives, by name. */
export const goldenPlusPlus = [
  { name: 'pp_gray', ...gray },
  { name: 'pp_rgb', ...colour },
];

type Golden = (typeof goldenPlusPlus)[number];

/** A network as the reference has it, with its weights. */
export async function goldenPlusPlusModel({ name, config }: Golden): Promise<AutoregressiveModel> {
  const imageShape = config.imageShape as [number, number, number];
  const model = pixelCNNPlusPlus({ ...config, imageShape, seed: 1 });
  const tensors = readSafetensors(await bytesOf(`../golden/pixelcnn-plus-plus/${name}.safetensors`));
  loadWeights(model, tensors, { from: 'pclucas14/pixel-cnn-pp' });
  return model;
}
