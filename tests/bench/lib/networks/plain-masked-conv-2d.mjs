import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { getMask } from 'pixelcnn-layers';

/** A masked convolution as one would first write it. */
export class PlainMaskedConv2D extends tfl.layers.Layer {
  static className = 'PlainMaskedConv2D';

  constructor(args) {
    super(args);
    this.args = args;
  }

  build([, , , featuresIn]) {
    const { filters, kernelSize, useBias, maskType, imageChannels, vertical } = this.args;
    const mask = { kernelSize, maskType, imageChannels, vertical };
    const { values, shape } = getMask({ ...mask, featuresIn, featuresOut: filters });
    this.kernel = this.addWeight('kernel', [...shape], 'float32', tfl.initializers.glorotUniform({}));
    if (useBias) this.bias = this.addWeight('bias', [filters], 'float32', tfl.initializers.zeros());
    this.mask = tf.keep(tf.tensor(values, shape));
    super.build();
  }

  computeOutputShape([n, h, w]) {
    return [n, h, w, this.args.filters];
  }

  call(inputs) {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0] : inputs;
      let y = tf.conv2d(x, tf.mul(this.kernel.read(), this.mask), 1, 'same');
      if (this.bias) y = tf.add(y, this.bias.read());
      return this.args.activation === 'relu' ? tf.relu(y) : y;
    });
  }
}
