import * as tf from '@tensorflow/tfjs-core';
import { type AutoregressiveModel, pixelCNN } from 'pixelcnn-layers';
import trained from '../../golden/trained/digits17_x16.json';
import { bytesOf } from './files';

/** The embedded digits as levels 0..16, int32 [N,8,8,1]. */
export async function loadDigits(): Promise<{ train: tf.Tensor4D; test: tf.Tensor4D }> {
  const load = async (part: string) => {
    const images = await bytesOf(`kit/data/sets/digits-${part}-images.u8`);
    return tf.tensor4d(images, [images.length / 64, 8, 8, 1], 'int32');
  };
  return { train: await load('train'), test: await load('test') };
}

/** The reference's trained digits network, its figure on the test digits, and the bits that each of the first of them takes. */
export async function loadTrainedDigits(): Promise<{ model: AutoregressiveModel; testBitsPerDim: number; firstBits: number[] }> {
  const model = pixelCNN({ imageShape: [8, 8, 1], levels: 17, hiddenDim: 16, outDim: 32, numBlocks: 3, firstKernelSize: 5 });
  const floats = new Float32Array((await bytesOf('tests/golden/trained/digits17_x16.f32')).buffer);
  const weights = trained.manifest.map(({ shape, offset_floats }) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return tf.tensor(floats.slice(offset_floats, offset_floats + size), shape);
  });
  model.setWeights(weights);
  tf.dispose(weights);
  return { model, testBitsPerDim: trained.test_bpd_f32, firstBits: trained.first8_nll_bits };
}
