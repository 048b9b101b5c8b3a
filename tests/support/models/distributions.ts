import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  type AutoregressiveModel,
  autoregressiveModel,
  type BlockArgs,
  gatedPixelCNN,
  gaussian,
  logisticMixture,
  maskedConv2d,
  type Ops,
  PixelLayer,
  pixelCNN,
  type TensorDistribution,
} from 'pixelcnn-layers';
import { allImages as listAll } from '../laws/all-images';
import { setNoise } from '../tensors';

/** The one output of a pixel; without it, there is no such pixel. */
function logitOf([logit]: ArrayLike<number> & Iterable<number>): number {
  if (logit === undefined) throw new Error('asked about a pixel that there is not');
  return logit;
}

/** A distribution of a user: one number a pixel, the logit of level 1 of two. */
const bernoulli: TensorDistribution = {
  imageChannels: 1,
  levels: 2,
  numParameters: 1,
  logProbs(outputs, _, to) {
    const logit = logitOf(outputs);
    to[0] = -Math.log1p(Math.exp(logit));
    to[1] = -Math.log1p(Math.exp(-logit));
  },
  logProb: (outputs, _, level) => -Math.log1p(Math.exp((1 - 2 * level) * logitOf(outputs))),
  negativeLogLikelihood: (labels, logits) => tf.sub(tf.softplus(logits), tf.mul(logits, labels)), // [N,H,W,1]
};

class BernoulliPixels extends PixelLayer {
  static className = 'BernoulliPixels';
  readonly distribution = bernoulli;

  override express<T>(_: unknown, [x]: readonly [T, ...T[]]): T {
    return x;
  }
}
tf.serialization.registerClass(BernoulliPixels);

/** A layer of a user with a distribution of the library, whose parameters it computes. */
class ScaledGaussian extends PixelLayer {
  static className = 'ScaledGaussian';
  readonly distribution = gaussian({ imageChannels: 1, levels: 3, offset: 1 }).distribution;

  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return ops.pointwise('scale', x, 0.7);
  }
}
tf.serialization.registerClass(ScaledGaussian);

type Shape = [number, number, number];
const small = { hiddenDim: 2, outDim: 3, numBlocks: 1, firstKernelSize: 3 };
const mixture = { output: { components: 2 } };

/** Two convolutions and a last layer. */
function handMade(imageShape: Shape, features: number, last: tfl.layers.Layer): AutoregressiveModel {
  const image = tfl.input({ shape: imageShape });
  const [, , imageChannels] = imageShape;
  // Channels in one group: a pixel's outputs see no channel of it, as those of PixelCNN++.
  const hidden = maskedConv2d({ filters: 4 * imageChannels, kernelSize: 3, maskType: 'A', imageChannels, activation: 'relu' }).apply(image);
  const outputs = last.apply(maskedConv2d({ filters: features, kernelSize: [3, 1], maskType: 'A', imageChannels: 1 }).apply(hidden));
  return autoregressiveModel({ inputs: image, outputs: outputs as tfl.SymbolicTensor });
}

/** A block of one convolution in two groups for each image channel. */
const inGroups = ({ filters, index: _, ...args }: BlockArgs) =>
  maskedConv2d({ ...args, filters: 2 * filters, groups: 2, activation: 'relu' });

/** Small models of each kind of distribution, whose weights are far from uniform. */
export const kinds: Readonly<Record<string, () => AutoregressiveModel>> = {
  'a mixture, one channel': () => noisy(pixelCNN({ ...small, ...mixture, imageShape: [2, 2, 1], levels: 3 })),
  'a mixture, two channels in groups': () => noisy(pixelCNN({ ...small, ...mixture, imageShape: [1, 2, 2], levels: 3 })),
  'a mixture, two channels, dilated convolutions in groups': () =>
    noisy(pixelCNN({ ...small, ...mixture, imageShape: [1, 4, 2], levels: 2, dilationRate: [1, 2], block: inGroups })),
  'a mixture, three channels in groups, gated': () => noisy(gatedPixelCNN({ ...small, ...mixture, imageShape: [1, 2, 3], levels: 2 })),
  'a mixture, two channels of one group': () =>
    noisy(handMade([2, 1, 2], 2 * 6, logisticMixture({ imageChannels: 2, levels: 3, components: 2 }))),
  'a mixture, three channels of one group': () =>
    noisy(handMade([2, 1, 3], 2 * 10, logisticMixture({ imageChannels: 3, levels: 2, components: 2 }))),
  'a Gaussian, one channel': () => noisy(pixelCNN({ ...small, output: 'gaussian', imageShape: [2, 2, 1], levels: 3 })),
  'a Gaussian, two channels in groups, gated': () =>
    noisy(gatedPixelCNN({ ...small, output: 'gaussian', imageShape: [1, 2, 2], levels: 3 })),
  'a Gaussian, scaled by a layer of a user': () => noisy(handMade([2, 2, 1], 2, new ScaledGaussian())),
  "a user's own": () => noisy(handMade([2, 3, 1], 1, new BernoulliPixels())),
};

function noisy(model: AutoregressiveModel): AutoregressiveModel {
  setNoise(model, 3);
  return model;
}

/** All images of a model's shape, int32, in the order of their numbers to the base of levels. */
export function allImages({ imageShape, levels }: AutoregressiveModel): tf.Tensor4D {
  const shape = imageShape as Shape;
  const all = listAll(levels, tf.util.sizeFromShape(shape));
  return tf.tensor4d(all.flat(), [all.length, ...shape], 'int32');
}
