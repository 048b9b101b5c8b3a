import * as tf from '@tensorflow/tfjs-core';
import { type AutoregressiveModel, pixelCNN } from 'pixelcnn-layers';
import { allImages } from '../laws/all-images';
import { setNoise } from '../tensors';

/** A model of images 2x2x1 with 3 levels, whose weights are far from uniform; there are 3^4 = 81 such images. */
export function tinyModel(): AutoregressiveModel {
  const model = pixelCNN({ imageShape: [2, 2, 1], levels: 3, hiddenDim: 3, outDim: 4, numBlocks: 1, firstKernelSize: 3 });
  setNoise(model);
  return model;
}

/** All 81 images, int32, in the order of their numbers in base 3. */
export const allTinyImages = (): tf.Tensor4D => tf.tensor4d(allImages(3, 4).flat(), [81, 2, 2, 1], 'int32');
