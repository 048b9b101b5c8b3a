import { input, layers, model as modelOf } from '@tensorflow/tfjs-layers';
import { Codebook } from './codebook.mjs';

/** Pixels to a code, down and across: two strides of 2. */
export const PITCH = 4;

/**
 * A VQ-VAE: images in [0, 1] -> encoder -> codebook -> decoder -> images. Its three layers have these names; encoder and decoder are
 * models themselves. The shape is that of van den Oord et al. 2017, section 4.1.
 *
 * @param {object} args
 * @param {[number, number, number]} args.imageShape [H,W,C], H and W multiples of {@link PITCH}
 * @param {number} args.numEntries K
 * @param {number} args.filters features of each layer
 * @param {number} args.codeSize D, the length of an entry
 * @param {number} args.decay of the codebook's averages
 */
export function vqVae({ imageShape, numEntries, filters, codeSize, decay }) {
  const [height, width, channels] = imageShape;
  const image = input({ shape: imageShape });
  const encoder = encoderOf(imageShape, filters, codeSize);
  const codebook = new Codebook({ name: 'codebook', numEntries, decay });
  const decoder = decoderOf([height / PITCH, width / PITCH, codeSize], filters, channels);
  const vectors = codebook.apply(encoder.apply(image)); // [N,H/4,W/4,D]
  return modelOf({ inputs: image, outputs: decoder.apply(vectors) }); // [N,H,W,C]
}

/** [N,H,W,C] -> [N,H/4,W/4,D] */
function encoderOf(imageShape, filters, codeSize) {
  const image = input({ shape: imageShape });
  const halve = (filters, activation) =>
    layers.conv2d({ filters, activation, kernelSize: 4, strides: 2, padding: 'same' });
  let x = halve(filters / 2, 'relu').apply(image); // [N,H/2,W/2,F/2]
  x = halve(filters, 'linear').apply(x); // [N,H/4,W/4,F]
  x = residual(residual(x, filters), filters);
  const vectors = layers.conv2d({ filters: codeSize, kernelSize: 1 }).apply(x); // [N,H/4,W/4,D]
  return modelOf({ name: 'encoder', inputs: image, outputs: vectors });
}

/** [N,H/4,W/4,D] -> [N,H,W,C] */
function decoderOf(codeShape, filters, channels) {
  const vectors = input({ shape: codeShape });
  const double = (filters, activation) =>
    layers.conv2dTranspose({ filters, activation, kernelSize: 4, strides: 2, padding: 'same' });
  let x = layers.conv2d({ filters, kernelSize: 3, padding: 'same' }).apply(vectors); // [N,H/4,W/4,F]
  x = residual(residual(x, filters), filters);
  x = double(filters / 2, 'relu').apply(x); // [N,H/2,W/2,F/2]
  const image = double(channels, 'linear').apply(x); // [N,H,W,C]
  return modelOf({ name: 'decoder', inputs: vectors, outputs: image });
}

/** relu(x + f(x)), f a convolution over neighbours to half the features and one of each place back. */
function residual(x, filters) {
  const hidden = layers
    .conv2d({ filters: filters / 2, kernelSize: 3, padding: 'same', activation: 'relu' })
    .apply(x); // [N,h,w,F/2]
  const change = layers.conv2d({ filters, kernelSize: 1 }).apply(hidden); // [N,h,w,F]
  return layers.reLU().apply(layers.add().apply([x, change]));
}
