import { type AutoregressiveModel, type PixelSNAILArgs, pixelSNAIL } from 'pixelcnn-layers';
import { loadWeights, readSafetensors } from 'pixelcnn-layers/weights';
import plain from '../golden/pixelsnail/snail.json';
import conditioned from '../golden/pixelsnail/snail_cond.json';
import { bytesOf } from './files';

/** What a public PyTorch implementation of PixelSNAIL gives, by name. */
export const goldenSnails = [
  { name: 'snail', condition: undefined, ...plain },
  { name: 'snail_cond', ...conditioned },
];

type Golden = (typeof goldenSnails)[number];

/** The arguments of a network of the reference; its codes are half as high and wide as the image. */
export function goldenSnailArgs({ config }: Golden): PixelSNAILArgs {
  const { levels, channel, resChannel, condResBlocks, condResChannel, kernelSize, numBlocks, numResBlocks } =
    config;
  const [height, width, channels] = config.imageShape as [number, number, number];
  const codes = {
    levels,
    shape: [height / 2, width / 2] as const,
    resBlocks: condResBlocks,
    resFilters: condResChannel,
  };
  return {
    imageShape: [height, width, channels],
    levels,
    filters: channel,
    kernelSize,
    numBlocks,
    numResBlocks,
    resFilters: resChannel,
    attention: config.attention,
    heads: config.heads,
    outResBlocks: config.outResBlocks,
    ...(condResBlocks > 0 && { codeCondition: codes }),
    seed: 1,
  };
}

/** A network as the reference has it, with its weights. */
export async function goldenSnail(golden: Golden): Promise<AutoregressiveModel> {
  const model = pixelSNAIL(goldenSnailArgs(golden));
  const tensors = readSafetensors(await bytesOf(`../golden/pixelsnail/${golden.name}.safetensors`));
  loadWeights(model, tensors, { from: 'rosinality/vq-vae-2-pytorch' });
  return model;
}
