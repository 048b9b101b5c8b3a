import * as tf from '@tensorflow/tfjs-core';
import { type AutoregressiveModel, pixelCNN } from 'pixelcnn-layers';
import { setNoise } from '../tensors';

/** A model of images 2x2x1 with 3 levels, whose weights are far from uniform; there are 3^4 = 81 such images. */
export function tinyModel(): AutoregressiveModel {
  const model = pixelCNN({ imageShape: [2, 2, 1], levels: 3, hiddenDim: 3, outDim: 4, numBlocks: 1, firstKernelSize: 3 });
  setNoise(model);
  return model;
}

/** All 81 images, int32; image i is i in base 3, the first value its highest digit. */
export function allTinyImages(): tf.Tensor4D {
  const images = Array.from({ length: 81 }, (_, i) => [27, 9, 3, 1].map((place) => Math.floor(i / place) % 3));
  return tf.tensor4d(images.flat(), [81, 2, 2, 1], 'int32');
}
