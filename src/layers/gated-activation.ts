import { serialization } from '@tensorflow/tfjs-core';
import {
  checkFeatures,
  checkInteger,
  checkMemory,
  checkOneOf,
  type NamesOf,
  throwTypeError,
} from '../core/check';
import type { Ops } from '../program/operations';
import type { GateKind } from '../program/operations/gate';
import { addProjections, conditionedGate, isCondition, type Projection } from './conditions';
import { checkLayerArgs, layerArgNames } from './layer-args';
import { imageInputShape, imageInputSpec, PixelLayer, shapesOf } from './pixel-layer';
import { checkSeed, type SeedArgs } from './seeds';
import type { LayerArgs, Shape } from './types';

/** Arguments of {@link GatedActivation}. */
export interface GatedActivationArgs extends LayerArgs, SeedArgs {
  /**
   * Channels of the image (3 for RGB); features are split into as many groups. Use 1 for features that are not grouped
   * by channel, as in PixelCNN++.
   * @default 3
   */
  imageChannels?: number;
  /**
   * The function applied to a: 'tanh', as in gated PixelCNN, or 'linear' for none, as in PixelCNN++. @default 'tanh'
   */
  kind?: GateKind;
}

const argNames: NamesOf<GatedActivationArgs> = {
  imageChannels: true,
  kind: true,
  seed: true,
  ...layerArgNames,
};

/**
 * The gated activation unit: tanh(a + c_a) sigmoid(b + c_b), or with `kind: 'linear'` (a + c_a) sigmoid(b + c_b). Here
 * a and b are the halves of the features, and c is a projection of the condition, or the sum of the projections of
 * several conditions.
 *
 * From features [N,H,W,2F], or from [features, condition, ...], to [N,H,W,F]. Features are channel-major: each channel
 * has a group of 2F / imageChannels features, whose first half is a and whose second half is b. A condition is a vector
 * [N,K], the same at every pixel, such as a one-hot class, or a map [N,H,W,K].
 *
 * Weights: for each condition a kernel [1,1,K,2F]; none without conditions.
 *
 * Source: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders" (2016),
 * https://arxiv.org/abs/1606.05328, section 2.1 and 2.3, equations 2, 4 and 5; the linear one Dauphin et al., "Language
 * modeling with gated convolutional networks" (2017), https://arxiv.org/abs/1612.08083.
 *
 * @throws TypeError naming the argument, or the input: a number of features that does not split into groups of two
 * halves, or a condition of another shape.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { gatedActivation } from 'pixelcnn-layers';
 * const gate = gatedActivation({ imageChannels: 1 });
 * const [y] = await gate.apply(tf.tensor4d([9, 0], [1, 1, 1, 2])).data();
 * console.log(y.toFixed(3)); // 0.500: tanh(9) sigmoid(0)
 * ```
 */
export class GatedActivation extends PixelLayer {
  /** @nocollapse */
  static className = 'GatedActivation';

  private readonly imageChannels: number;
  private readonly kind: GateKind;
  private readonly seed: number | undefined;
  private projections: readonly Projection[] = [];

  constructor(args: GatedActivationArgs = {}) {
    super(checkLayerArgs(GatedActivation, new.target, args, argNames));
    this.imageChannels = checkInteger('GatedActivation: imageChannels', args.imageChannels ?? 3, 1);
    this.kind = checkOneOf('GatedActivation: kind', args.kind ?? 'tanh', ['tanh', 'linear']);
    this.seed = checkSeed('GatedActivation', args.seed);
  }

  override build(inputShape: Shape | Shape[]): void {
    const { features, conditions } = this.readShapes(inputShape);
    const [, , , gateInputs] = features;
    for (const condition of conditions) {
      const size = condition.at(-1) as number;
      checkMemory('GatedActivation: features of condition and input', [size, gateInputs]);
    }
    this.projections = addProjections(this, conditions, gateInputs, this.seed);
    this.inputSpec = [features, ...conditions].flatMap((shape) =>
      imageInputSpec(shape.at(-1) as number, shape.length),
    );
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const [n, h, w, gateInputs] = this.readShapes(inputShape).features;
    return [n, h, w, gateInputs / 2];
  }

  /** The shapes [N,H,W,2F], and [N,K] or [N,H,W,K] of each condition. */
  private readShapes(inputShape: Shape | Shape[]) {
    const [first, ...conditions] = shapesOf(inputShape);
    const features = imageInputShape('GatedActivation', first as Shape);
    checkFeatures(
      'GatedActivation: input features',
      features[3],
      2 * this.imageChannels,
      '2 * imageChannels',
    );
    if (!conditions.every((condition) => isCondition(condition, features))) {
      throwTypeError(
        'GatedActivation: inputs',
        'features [N,H,W,2F], or with conditions [N,K] or [N,H,W,K]',
        inputShape,
      );
    }
    return { features, conditions };
  }

  override express<T>(ops: Ops<T>, [x, ...conditions]: readonly [T, ...T[]]): T {
    const { imageChannels: groups, kind, projections } = this;
    return conditionedGate(ops, x, conditions, projections, { groups, kind }); // [N,H,W,2F] -> [N,H,W,F]
  }

  override getConfig(): serialization.ConfigDict {
    const { imageChannels, kind, seed = null } = this;
    return { ...super.getConfig(), imageChannels, kind, seed };
  }
}
serialization.registerClass(GatedActivation);

/** Makes a {@link GatedActivation}. */
export function gatedActivation(args?: GatedActivationArgs): GatedActivation {
  return new GatedActivation(args);
}
