import * as tf from '@tensorflow/tfjs-core';
import { PixelLayer } from 'pixelcnn-layers';

/** Doubles its input, and cannot be evaluated pixel by pixel. */
export class Opaque extends PixelLayer {
  static className = 'TestOpaque';
  override express(): null {
    return null;
  }
  override computeOutputShape(shape: number[]): number[] {
    return shape;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.mul([inputs].flat()[0] as tf.Tensor, 2);
  }
}
