// The context model of CompressAI's `mbt2018` as a model of this library, with that package's weights.
//
// Source: Minnen, Ballé and Toderici, "Joint Autoregressive and Hierarchical Priors for Learned Image Compression" (2018),
// https://arxiv.org/abs/1809.02736.

import * as tf from '@tensorflow/tfjs-core';
import { input, layers } from '@tensorflow/tfjs-layers';
import {
  autoregressiveModel,
  gaussian,
  maskedConv2d,
  PixelLayer,
  shiftedConv2d,
  upsampledMap,
} from 'pixelcnn-layers';
import { loadWeights } from 'pixelcnn-layers/weights';

/** The least scale of CompressAI's Gaussians. */
const LEAST_SCALE = 0.11;

/** A Gaussian for each channel, of all channels' scales and then all means: [N,H,W,2C]. */
class ScaledGaussian extends PixelLayer {
  static className = 'ScaledGaussian';

  sizes;
  distribution;

  constructor({ imageChannels, levels, ...args }) {
    super(args);
    this.sizes = { imageChannels, levels };
    this.distribution = gaussian(this.sizes).distribution;
  }

  express(ops, [x]) {
    const { imageChannels } = this.sizes;
    const logScales = ops.pointwise('log', ops.slice(x, 0, imageChannels), LEAST_SCALE); // [N,H,W,C]
    const parameters = [];
    for (let c = 0; c < imageChannels; c++)
      parameters.push(ops.slice(x, imageChannels + c, 1), ops.slice(logScales, c, 1)); // [N,H,W,1] each
    return ops.concat(...parameters); // [N,H,W,2C]: a mean and a log scale for each channel
  }

  getConfig() {
    return { ...super.getConfig(), ...this.sizes };
  }
}
tf.serialization.registerClass(ScaledGaussian);

/**
 * Latents [N,H,W,M] of integers from -levels / 2, given side information [N,H/4,W/4,M]: hyper-decoder, context model and
 * entropy parameters, with the names of the package.
 */
export function contextModel({ height, width, channels: M, levels }) {
  const latents = input({ shape: [height, width, M] });
  const side = input({ shape: [height / 4, width / 4, M] });

  const leakyReLU = (x) => layers.leakyReLU({ alpha: 0.01 }).apply(x);
  const around = (name, filters, x) =>
    shiftedConv2d({ name, filters, kernelSize: 3, shift: 'same' }).apply(x);
  const doubled = (name, filters, x) => upsampledMap({ spread: true }).apply(around(name, 4 * filters, x)); // [N,h,w,4F] -> [N,2h,2w,F]
  let hyper = leakyReLU(doubled('h_s.0', M, side)); // [N,H/2,W/2,M]
  hyper = leakyReLU(doubled('h_s.2', (M * 3) / 2, hyper)); // [N,H,W,3M/2]
  hyper = around('h_s.4', 2 * M, hyper); // [N,H,W,2M]

  const values = layers.rescaling({ scale: levels - 1, offset: -levels / 2 }).apply(latents); // of [0, 1], integers again
  const pixelArgs = { imageChannels: 1 }; // sees all channels of earlier places, and none of its own
  const context = maskedConv2d({
    name: 'context_prediction',
    filters: 2 * M,
    kernelSize: 5,
    maskType: 'A',
    ...pixelArgs,
  });
  let x = layers.concatenate().apply([hyper, context.apply(values)]); // [N,H,W,4M]
  const ofPlace = (index, filters) =>
    maskedConv2d({ name: `entropy_parameters.${index}`, filters, kernelSize: 1, ...pixelArgs });
  x = leakyReLU(ofPlace(0, Math.floor((M * 10) / 3)).apply(x));
  x = leakyReLU(ofPlace(2, Math.floor((M * 8) / 3)).apply(x));
  x = ofPlace(4, 2 * M).apply(x); // [N,H,W,2M]
  const outputs = new ScaledGaussian({ imageChannels: M, levels }).apply(x);
  return autoregressiveModel({ inputs: [latents, side], outputs });
}

/**
 * Loads the package's weights: of a state dict, the tensors whose names begin with `context_prediction.`,
 * `entropy_parameters.` and `h_s.`
 *
 * @param {import('@tensorflow/tfjs-layers').LayersModel} model
 * @param {ReadonlyMap<string, import('pixelcnn-layers/weights').NamedTensor>} tensors
 */
export function loadContextModel(model, tensors) {
  const named = new Map(tensors);
  for (const layer of ['h_s.0', 'h_s.2']) {
    named.set(`${layer}.weight`, spreadKernel(named.get(`${layer}.weight`)));
    named.set(`${layer}.bias`, fourTimes(named.get(`${layer}.bias`)));
  }
  loadWeights(model, named, { from: 'pytorch', names: (name) => name.replace('.weight', '.kernel') });
}

/**
 * The kernel of `ConvTranspose2d(kernel_size=5, stride=2, padding=2, output_padding=1)`, [in,out,5,5], as that of a 3x3
 * convolution, [4*out,in,3,3], whose features are spread over two rows and two columns. Row 2i + a of the output sees row i + d
 * of the input through row a + 2 - 2d of the kernel.
 */
function spreadKernel({ dtype, shape: [numInputs, numOutputs, size], data }) {
  const spread = new Float32Array(4 * numOutputs * numInputs * 9);
  let at = 0;
  for (const a of [0, 1])
    for (const b of [0, 1])
      for (let o = 0; o < numOutputs; o++)
        for (let i = 0; i < numInputs; i++)
          for (const d of [-1, 0, 1])
            for (const e of [-1, 0, 1]) {
              const [row, column] = [a + 2 - 2 * d, b + 2 - 2 * e];
              if (row < size && column < size)
                spread[at] = data[((i * numOutputs + o) * size + row) * size + column];
              at++;
            }
  return { dtype, shape: [4 * numOutputs, numInputs, 3, 3], data: spread };
}

const fourTimes = ({ dtype, shape: [size], data }) => ({
  dtype,
  shape: [4 * size],
  data: Float32Array.from({ length: 4 * size }, (_, i) => data[i % size]),
});

/**
 * A map as a state dict has it, [1,C,H,W], as the library takes it: [1,H,W,C].
 *
 * @param {import('pixelcnn-layers/weights').NamedTensor} map
 * @returns {{ data: Float32Array, shape: number[] }}
 */
export function channelsLast({ shape: [, channels, height, width], data }) {
  const places = height * width;
  const moved = Float32Array.from(data, (_, i) => data[(i % channels) * places + Math.floor(i / channels)]);
  return { data: moved, shape: [1, height, width, channels] };
}
