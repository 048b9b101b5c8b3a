import { type AutoregressiveModel, type PixelSNAILArgs, pixelSNAIL } from 'pixelcnn-layers';
import plain from '../../golden/pixelsnail/snail.json';
import conditioned from '../../golden/pixelsnail/snail_cond.json';
import fine from '../../golden/pixelsnail/snail_fine.json';
import { withGoldenWeights } from './files';

/** What a public PyTorch implementation of PixelSNAIL gives, by name. */
export const goldenSnails = [
  { name: 'snail', condition: undefined, ...plain },
  { name: 'snail_cond', ...conditioned },
  { name: 'snail_fine', ...fine },
];

type Golden = (typeof goldenSnails)[number];

/** The arguments of a network as the reference has it; its codes are half as high and wide as the image. */
export function snailArgs({ config }: Golden): PixelSNAILArgs {
  const { channel: filters, resChannel: resFilters, condResBlocks, condResChannel, imageShape, ...rest } = config;
  const [height, width, channels] = imageShape as [number, number, number];
  const shape = [height / 2, width / 2] as const;
  const { levels } = rest;
  return {
    ...rest,
    imageShape: [height, width, channels],
    filters,
    resFilters,
    ...(condResBlocks > 0 && { codeCondition: { levels, shape, resBlocks: condResBlocks, resFilters: condResChannel } }),
  };
}

/** The network with its weights. */
export async function goldenSnail(golden: Golden): Promise<AutoregressiveModel> {
  const model = pixelSNAIL({ ...snailArgs(golden), seed: 1 });
  return withGoldenWeights(model, `pixelsnail/${golden.name}`, { from: 'rosinality/vq-vae-2-pytorch' });
}
