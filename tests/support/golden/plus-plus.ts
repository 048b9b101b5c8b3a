import { type AutoregressiveModel, type PixelCNNPlusPlusArgs, pixelCNNPlusPlus } from 'pixelcnn-layers';
import gray from '../../golden/pixelcnn-plus-plus/pp_gray.json';
import colour from '../../golden/pixelcnn-plus-plus/pp_rgb.json';
import { withGoldenWeights } from './files';

/** What a public PyTorch implementation of PixelCNN++ gives, by name. */
export const goldenPlusPlus = [
  { name: 'pp_gray', ...gray },
  { name: 'pp_rgb', ...colour },
];

type Golden = (typeof goldenPlusPlus)[number];

/** The arguments of a network of the reference's sizes. */
export function goldenPlusPlusArgs({ config }: Golden): PixelCNNPlusPlusArgs {
  const { components, imageShape, ...sizes } = config;
  return { ...sizes, imageShape: imageShape as [number, number, number], output: { components } };
}

/** A network as the reference has it, with its weights. */
export async function goldenPlusPlusModel(golden: Golden): Promise<AutoregressiveModel> {
  const model = pixelCNNPlusPlus({ ...goldenPlusPlusArgs(golden), seed: 1 });
  return withGoldenWeights(model, `pixelcnn-plus-plus/${golden.name}`, { from: 'pclucas14/pixel-cnn-pp' });
}
