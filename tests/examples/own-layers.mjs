// Loaded before an example with `node --import`, as a user's own layers are.
import { serialization } from '@tensorflow/tfjs-core';
import { PixelCNNResBlock } from 'pixelcnn-layers';

class TheirBlock extends PixelCNNResBlock {
  static className = 'TheirBlock';
}
serialization.registerClass(TheirBlock);
