import * as tfl from '@tensorflow/tfjs-layers';
import { autoregressiveModel, pixelLogits } from 'pixelcnn-layers';
import { gatedStack } from './gated-stack.mjs';
import { residualStack } from './residual-stack.mjs';

/**
 * The network of a shape, of any kind of convolution.
 *
 * @param {(args: object, mask: object) => tfl.layers.Layer} conv makes one of the arguments of a stock convolution and those of its mask
 */
export function graph(shape, conv) {
  const { imageShape, levels, outDim, model } = shape;
  const imageChannels = imageShape[2];
  const defaults = { kernelSize: 1, activation: 'linear', useBias: true };
  const apply = (x, args, mask) => conv({ ...defaults, ...args }, { imageChannels, ...mask }).apply(x);
  const image = tfl.input({ shape: imageShape });
  const stack = model === 'gatedPixelCNN' ? gatedStack : residualStack;
  let x = tfl.layers.reLU().apply(stack(image, shape, apply));
  x = apply(x, { filters: outDim * imageChannels, activation: 'relu' });
  x = apply(x, { filters: outDim * imageChannels });
  x = apply(x, { filters: levels * imageChannels });
  return autoregressiveModel({ inputs: image, outputs: pixelLogits({ imageChannels, levels }).apply(x) });
}
