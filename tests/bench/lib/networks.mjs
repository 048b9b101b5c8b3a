import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { autoregressiveModel, getMask, pixelCNN, pixelLogits } from 'pixelcnn-layers';

const fashion = { imageShape: [28, 28, 1], levels: 16, numBlocks: 5, firstKernelSize: 7 };

/** The networks that are measured, by name. */
export const shapes = {
  'digits 8x8x1, 17 levels, hidden 16, 3 blocks': {
    imageShape: [8, 8, 1],
    levels: 17,
    hiddenDim: 16,
    outDim: 32,
    numBlocks: 3,
    firstKernelSize: 5,
  },
  '28x28x1, 16 levels, hidden 16, 5 blocks': { ...fashion, hiddenDim: 16, outDim: 32 },
  '28x28x1, 16 levels, hidden 64, 5 blocks': { ...fashion, hiddenDim: 64, outDim: 64 },
  '16x16x3, 256 levels, hidden 8, 4 blocks': {
    imageShape: [16, 16, 3],
    levels: 256,
    hiddenDim: 8,
    outDim: 32,
    numBlocks: 4,
    firstKernelSize: 7,
  },
};

/** The network as this library makes it. */
export const ours = (shape) => pixelCNN(shape);

/** The same network made of stock convolutions, without masks: what its forward pass costs in plain tfjs. */
export const stock = (shape) => network(shape, (args) => tfl.layers.conv2d({ ...args, padding: 'same' }));

/** The same network the blog's way, written plainly: whole kernel times mask, SAME convolution, tfjs's own gradients. */
export const plain = (shape) =>
  network(
    shape,
    (args, maskType) => new PlainMaskedConv2D({ ...args, maskType, imageChannels: shape.imageShape[2] }),
  );

/** The graph of PixelCNN from any kind of convolution: conv(args, mask type) makes a layer. */
function network({ imageShape, levels, hiddenDim, outDim, numBlocks, firstKernelSize }, conv) {
  const c = imageShape[2];
  const h = hiddenDim * c;
  const apply = (x, filters, kernelSize = 1, activation = 'linear', maskType = 'B') =>
    conv({ filters, kernelSize, activation }, maskType).apply(x);
  const image = tfl.input({ shape: imageShape });
  let x = apply(image, 2 * h, firstKernelSize, 'linear', 'A'); // [N,H,W,2h]
  for (let block = 0; block < numBlocks; block++) {
    const y = apply(apply(apply(x, h, 1, 'relu'), h, 3, 'relu'), 2 * h, 1, 'relu');
    x = tfl.layers.add().apply([x, y]);
  }
  x = apply(tfl.layers.reLU().apply(x), outDim * c, 1, 'relu');
  x = apply(apply(x, outDim * c), levels * c);
  return autoregressiveModel({ inputs: image, outputs: pixelLogits({ imageChannels: c, levels }).apply(x) });
}

/** A masked convolution as one would first write it. */
export class PlainMaskedConv2D extends tfl.layers.Layer {
  static className = 'PlainMaskedConv2D';

  constructor(args) {
    super(args);
    this.args = args;
  }

  build([, , , featuresIn]) {
    const { filters, kernelSize, maskType, imageChannels } = this.args;
    this.kernel = this.addWeight(
      'kernel',
      [kernelSize, kernelSize, featuresIn, filters],
      'float32',
      tfl.initializers.glorotUniform({}),
    );
    this.bias = this.addWeight('bias', [filters], 'float32', tfl.initializers.zeros());
    const { values, shape } = getMask({
      kernelSize,
      featuresIn,
      featuresOut: filters,
      maskType,
      imageChannels,
    });
    this.mask = tf.keep(tf.tensor(values, shape));
    super.build();
  }

  computeOutputShape([n, h, w]) {
    return [n, h, w, this.args.filters];
  }

  call(inputs) {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0] : inputs;
      const y = tf.add(tf.conv2d(x, tf.mul(this.kernel.read(), this.mask), 1, 'same'), this.bias.read());
      return this.args.activation === 'relu' ? tf.relu(y) : y;
    });
  }
}

/** Random levels as inputs in [0, 1] and labels, [batch, ...imageShape]. */
export function randomBatch({ imageShape, levels }, batch) {
  const labels = tf.randomUniform([batch, ...imageShape], 0, levels, 'int32', 1);
  const xs = tf.tidy(() => tf.div(tf.cast(labels, 'float32'), levels - 1));
  return { xs, labels };
}
