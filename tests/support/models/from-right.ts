import * as tfl from '@tensorflow/tfjs-layers';
import { type LayerWeight, type Ops, PixelLayer } from 'pixelcnn-layers';

/** The states of an LSTM from the right, not shifted down: [N,H,W,8] -> [N,H,W,2]. */
export class FromRight extends PixelLayer {
  static className = 'TestFromRight';
  private kernel!: LayerWeight;
  override build(inputShape: tfl.Shape): void {
    this.kernel = this.addWeight('kernel', [2, 1, 2, 8], 'float32', tfl.initializers.ones());
    super.build(inputShape);
  }
  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return ops.lstm(x, this.kernel, 'fromRight', 1);
  }
}
