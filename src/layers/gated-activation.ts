import {
  add,
  reshape,
  serialization,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  tidy,
} from '@tensorflow/tfjs-core';
import { initializers, layers } from '@tensorflow/tfjs-layers';
import { checkArgs, checkFeatures, checkInteger, wrong } from '../check';
import { gate } from '../ops/gate';
import type { Features, Program } from '../program/program';
import { imageInputShape, imageInputSpec, oneInput } from './layer-input';
import { MaskedConv } from './masked-conv';
import type { LayerArgs, Shape } from './types';

/** Arguments of {@link GatedActivation}. */
export interface GatedActivationArgs extends LayerArgs {
  /** Channels of the image (3 for RGB); features are split into as many groups. @default 3 */
  imageChannels?: number;
}

/**
 * The gated activation unit: tanh(a + c_a) sigmoid(b + c_b), where a and b are the halves of the features,
 * and c a projection of the condition.
 *
 * From features [N,H,W,2F], or from [features, condition], to [N,H,W,F]. Features are channel-major: of each
 * channel's group, 2F / imageChannels of them, the first half is a and the second b. The condition is a
 * vector [N,K], the same at every pixel, such as a one-hot class, or a map [N,H,W,K].
 *
 * Weights: none, or the kernel of the condition [1,1,K,2F].
 *
 * Source: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders" (2016), section 2.1 and
 * 2.3, equations 2, 4 and 5.
 *
 * @throws TypeError naming the argument, or the input: an odd number of features, or one that does not split
 * into groups of two halves; a condition of another shape.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { gatedActivation } from 'pixelcnn-layers';
 * const gate = gatedActivation({ imageChannels: 1 });
 * const [y] = await gate.apply(tf.tensor4d([9, 0], [1, 1, 1, 2])).data();
 * console.log(y.toFixed(3)); // 0.500: tanh(9) sigmoid(0)
 * ```
 */
export class GatedActivation extends layers.Layer {
  /** @nocollapse */
  static className = 'GatedActivation';

  private readonly imageChannels: number;
  /** Adds to the features what the condition makes of them: [N,1,1,K] or [N,H,W,K] -> [..,2F]. */
  private projection?: MaskedConv;

  constructor(args: GatedActivationArgs = {}) {
    super(checkArgs('GatedActivation', args));
    this.imageChannels = checkInteger('GatedActivation: imageChannels', args.imageChannels ?? 3, 1);
  }

  override build(inputShape: Shape | Shape[]): void {
    const { features, condition } = this.readShapes(inputShape);
    const [, , , gates] = features;
    if (condition !== undefined) {
      const size = condition.at(-1) as number;
      const mask = { kernelSize: 1, featuresIn: size, featuresOut: gates, imageChannels: 1 }; // hides nothing
      const initializer = initializers.glorotUniform({});
      const kernel = this.addWeight('condition_kernel', [1, 1, size, gates], 'float32', initializer);
      this.projection = new MaskedConv(kernel, undefined, mask);
    }
    this.inputSpec = [features, ...(condition ? [condition] : [])].flatMap((shape) =>
      imageInputSpec(shape.at(-1) as number, shape.length),
    );
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const [n, h, w, gates] = this.readShapes(inputShape).features;
    return [n, h, w, gates / 2];
  }

  /** The shapes [N,H,W,2F], and [N,K] or [N,H,W,K] where there is a condition. */
  private readShapes(inputShape: Shape | Shape[]) {
    const [first, condition, ...rest] = (Array.isArray(inputShape[0]) ? inputShape : [inputShape]) as Shape[];
    const features = imageInputShape('GatedActivation', first as Shape);
    checkFeatures(
      'GatedActivation: input features',
      features[3],
      2 * this.imageChannels,
      '2 * imageChannels',
    );
    if (!isCondition(condition, features) || rest.length > 0) {
      wrong(
        'GatedActivation: inputs',
        'features [N,H,W,2F], or with a condition [N,K] or [N,H,W,K]',
        inputShape,
      );
    }
    return { features, condition };
  }

  override call(inputs: Tensor | Tensor[], kwargs: Parameters<layers.Layer['call']>[1]): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const [x, condition] = [inputs].flat().map(oneInput) as [Tensor4D, Tensor?];
      if (this.projection === undefined || condition === undefined) return gate(x, this.imageChannels);
      if (condition.shape[0] !== x.shape[0] || !isCondition(condition.shape, x.shape)) {
        wrong('GatedActivation: condition', `one of [${x.shape}]`, condition.shape);
      }
      if (condition.rank === 4) {
        const projected = this.projection.apply(condition as Tensor4D); // [N,H,W,K] -> [N,H,W,2F]
        return gate(add(x, projected), this.imageChannels);
      }
      const [n, k] = condition.shape as [number, number];
      const projected = this.projection.apply(reshape(condition, [n, 1, 1, k])); // [N,1,1,K] -> [N,1,1,2F]
      return gate(x, this.imageChannels, reshape(projected, [n, x.shape[3]]) as Tensor2D); // [N,H,W,2F] -> [N,H,W,F]
    });
  }

  /** Built of a program's operations, for incremental sampling. */
  incremental(program: Program, inputs: readonly Features[]): Features | null {
    const [x, condition] = inputs;
    if (x === undefined) return null;
    if (this.projection === undefined || condition === undefined) return program.gate(x, this.imageChannels);
    return program.gate(program.add(x, this.projection.incremental(program, condition)), this.imageChannels);
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), imageChannels: this.imageChannels };
  }

  protected override disposeWeights(): number {
    this.projection?.dispose();
    return super.disposeWeights();
  }
}
serialization.registerClass(GatedActivation);

/** Makes a {@link GatedActivation}. */
export function gatedActivation(args?: GatedActivationArgs): GatedActivation {
  return new GatedActivation(args);
}

/**
 * Whether a shape, where there is one, is that of vectors, or of a map of the features' own height and width.
 */
export function isCondition(condition: Shape | undefined, [, h, w]: Shape): boolean {
  if (condition === undefined) return true;
  const [, height, width] = condition;
  const isMap = condition.length === 4 && height === h && width === w;
  return condition.at(-1) != null && (condition.length === 2 || isMap);
}
