import { input, layers, model } from '@tensorflow/tfjs-layers';
import { maskedConv2d, pixelDropout, pixelNormalization } from 'pixelcnn-layers';

const chain = (x, ...all) => all.reduce((y, layer) => layer.apply(y), x);

/** The block of ConvNeXt, x + narrow(relu(wide(norm(depthwise(x))))): [N,H,W,2h] -> [N,H,W,2h]. */
export function convNeXtBlock(args) {
  const { filters, imageChannels, kernelSize, name, seed, dropout = 0 } = args;
  const features = 2 * filters;
  const conv = (part, i, rest) => ({
    name: `${name}_${part}`,
    imageChannels,
    kernelSize: 1,
    seed: seed && seed + i,
    ...rest,
  });
  const x = input({ shape: [null, null, features] });
  const branch = chain(
    x,
    maskedConv2d(conv('depthwise', 0, { filters: features, groups: features / imageChannels, kernelSize })),
    pixelNormalization({ name: `${name}_norm`, imageChannels }),
    maskedConv2d(conv('wide', 1, { filters: 4 * features, activation: 'relu' })), // [N,H,W,2h] -> [N,H,W,8h]
    maskedConv2d(conv('narrow', 2, { filters: features })), // [N,H,W,8h] -> [N,H,W,2h]
    pixelDropout({ name: `${name}_dropout`, rate: dropout, seed }),
  );
  return model({ inputs: x, outputs: chain([x, branch], layers.add({ name: `${name}_add` })), name });
}
