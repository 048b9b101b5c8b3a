import * as tf from '@tensorflow/tfjs-core';

/** x^3, an activation that tfjs does not know. */
class Cube extends tf.serialization.Serializable {
  static className = 'testCube';
  apply(x: tf.Tensor): tf.Tensor {
    return tf.tidy(() => tf.mul(x, tf.square(x)));
  }
  getConfig() {
    return {};
  }
}
tf.serialization.registerClass(Cube);

/** As the argument of a layer, whose type knows those of tfjs. */
export const cube = Cube.className as 'relu';
