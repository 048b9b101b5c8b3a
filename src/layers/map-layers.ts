import { provideConcatEluKernels } from '../ops/concat-elu';
import { flag, type Given, integer, optional, type Values } from '../runtime/core/arguments';
import { checkFeatures, throwTypeError } from '../runtime/core/check';
import { MAX_LENGTH } from '../runtime/core/images';
import type { Ops } from '../runtime/program/operations';
import { type Arithmetic, checkMap, DeclaredLayer, defineLayer } from './declared-layer';
import { shapesOf } from './pixel-layer';
import type { LayerArgs, Shape } from './types';

// Layers without weights that extend, shift or enlarge maps.

/**
 * The input of PixelCNN++: the image, scaled from [0, 1] to [-1, 1], with an added channel of ones, by which
 * convolutions can distinguish the zeros around the image from middle grey: [N,H,W,C] -> [N,H,W,C+1].
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, its code.
 *
 * @throws TypeError for an unknown option, or an input that is not [N,H,W,C].
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { centeredImage } from 'pixelcnn-layers';
 * const y = centeredImage().apply(tf.tensor4d([0, 0.5, 1], [1, 1, 1, 3])); // [1, 1, 1, 4]
 * console.log(Array.from(await y.data())); // [-1, 0, 1, 1]
 * ```
 */
export class CenteredImage extends DeclaredLayer<object> {
  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    const centered = ops.pointwise('shift', ops.pointwise('scale', x, 2), -1); // [N,H,W,C]
    const ones = ops.pointwise('shift', ops.pointwise('scale', ops.slice(x, 0, 1), 0), 1); // [N,H,W,1]
    return ops.concat(centered, ones); // [N,H,W,C+1]
  }
}
defineLayer(CenteredImage, 'CenteredImage');

/** Makes a {@link CenteredImage}. */
export const centeredImage = (args?: LayerArgs) => new CenteredImage(args);

/**
 * The activation of PixelCNN++: elu(x) of all features, then elu(-x) of all. [N,H,W,F] -> [N,H,W,2F]. No weights.
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, its code: `concat_elu`.
 *
 * @throws TypeError for an unknown option, or an input of logits [N,H,W,C,L].
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { concatElu } from 'pixelcnn-layers';
 * const y = concatElu().apply(tf.tensor4d([2, -1], [1, 1, 1, 2])); // [1, 1, 1, 4]
 * console.log(Array.from(await y.data(), (value) => value.toFixed(2)).join(' ')); // 2.00 -0.63 -0.86 1.00
 * ```
 */
export class ConcatElu extends DeclaredLayer<object> {
  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return ops.concatElu(x); // [N,H,W,F] -> [N,H,W,2F]
  }
}
defineLayer(ConcatElu, 'ConcatElu');
provideConcatEluKernels();

/** Makes a {@link ConcatElu}. */
export const concatElu = (args?: LayerArgs) => new ConcatElu(args);

const featureSliceArguments = {
  /** The first feature of each channel's, from 0. */
  from: integer({ from: 0 }),
  /** The feature behind the last one. */
  to: integer({ from: 1 }),
  /** Channels of the image (3 for RGB); of each one's features the same part is taken. @default 3 */
  imageChannels: optional(integer({ from: 1 }), 3),
};

/** Arguments of {@link FeatureSlice}. */
export interface FeatureSliceArgs extends LayerArgs, Given<typeof featureSliceArguments> {}

/**
 * Some of the features of each image channel: [N,H,W,C*F] -> [N,H,W,C*(to - from)], for gates and groups of your own. No
 * weights.
 *
 * @throws TypeError naming the argument, or an input without these features.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { featureSlice } from 'pixelcnn-layers';
 * const y = featureSlice({ from: 1, to: 2, imageChannels: 2 }).apply(tf.tensor4d([1, 2, 3, 4], [1, 1, 1, 4])); // [1, 1, 1, 2]
 * console.log(Array.from(await y.data())); // [2, 4]
 * ```
 */
export class FeatureSlice extends DeclaredLayer<Values<typeof featureSliceArguments>, FeatureSliceArgs> {
  protected override checkInputs(shapes: readonly Shape[]): void {
    const { from, to, imageChannels } = this.settings;
    const features =
      checkFeatures('input features', checkMap('input', shapes), imageChannels) / imageChannels;
    if (from >= to || to > features)
      throwTypeError('from, to', `a part of the ${features} features of a channel`, [from, to]);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const { from, to, imageChannels } = this.settings;
    const shapes = shapesOf(inputShape);
    this.naming(() => this.checkInputs(shapes));
    return [...(shapes[0] as Shape).slice(0, 3), imageChannels * (to - from)];
  }

  /** Adds none, but is told how many features there are. */
  protected override addWeights([shape = []]: readonly Shape[]): Arithmetic {
    const { from, to, imageChannels } = this.settings;
    const each = (shape[3] as number) / imageChannels;
    const starts = Array.from({ length: imageChannels }, (_, channel) => channel * each + from);
    return (ops, [x]) => ops.concat(...starts.map((start) => ops.slice(x, start, to - from))); // [N,H,W,C*F] -> [N,H,W,C*(to-from)]
  }
}
defineLayer(FeatureSlice, 'FeatureSlice', featureSliceArguments);

/** Makes a {@link FeatureSlice}. */
export const featureSlice = (args: FeatureSliceArgs) => new FeatureSlice(args);

/**
 * The position of each place, ((row - H/2) / H, (column - W/2) / W), for attention: [N,H,W,F] -> [N,H,W,2].
 *
 * Source: Chen et al., "PixelSNAIL" (2018), https://arxiv.org/abs/1712.09763, its code; rosinality/vq-vae-2-pytorch.
 *
 * @throws TypeError for an unknown option, or an input that is not [N,H,W,F].
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { pixelPosition } from 'pixelcnn-layers';
 * const y = pixelPosition().apply(tf.zeros([1, 1, 2, 8])); // [1, 1, 2, 2]
 * console.log(Array.from(await y.data())); // [-0.5, -0.5, -0.5, 0]
 * ```
 */
export class PixelPosition extends DeclaredLayer<object> {
  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return ops.position(x); // [N,H,W,F] -> [N,H,W,2]
  }
}
defineLayer(PixelPosition, 'PixelPosition');

/** Makes a {@link PixelPosition}. */
export const pixelPosition = (args?: LayerArgs) => new PixelPosition(args);

const pixelShiftArguments = {
  /** Rows down, 0 or more. @default 0 */
  rows: optional(integer({ from: 0 }), 0),
  /** Columns to the right, 0 or more. @default 0 */
  columns: optional(integer({ from: 0 }), 0),
};

/** Arguments of {@link PixelShift}. */
export interface PixelShiftArgs extends LayerArgs, Given<typeof pixelShiftArguments> {}

/**
 * Shifts features down and right, and fills with zeros: [N,H,W,F] -> [N,H,W,F]. A shift down hides the current row,
 * which features may have seen; one to the right the current pixel, if they saw nothing after it. No weights.
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, its code: `down_shift`, `right_shift`.
 *
 * @throws TypeError naming `rows` or `columns` if it is not an integer of at least 0.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { pixelShift } from 'pixelcnn-layers';
 * const y = pixelShift({ columns: 1 }).apply(tf.tensor4d([5, 6, 7], [1, 1, 3, 1])); // [1, 1, 3, 1]
 * console.log(Array.from(await y.data())); // [0, 5, 6]
 * ```
 */
export class PixelShift extends DeclaredLayer<Values<typeof pixelShiftArguments>, PixelShiftArgs> {
  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return ops.shift(x, this.settings.rows, this.settings.columns); // [N,H,W,F]
  }
}
defineLayer(PixelShift, 'PixelShift', pixelShiftArguments);

/** Makes a {@link PixelShift}. */
export const pixelShift = (args: PixelShiftArgs) => new PixelShift(args);

const upsampledMapArguments = {
  /** How many rows each row becomes. @default 2 */
  rows: optional(integer({ from: 1, to: MAX_LENGTH }), 2),
  /** How many columns each column becomes. @default 2 */
  columns: optional(integer({ from: 1, to: MAX_LENGTH }), 2),
  /**
   * Spreads the features of each place over these rows and columns, left to right and top to bottom, instead of repeating
   * them: TensorFlow's `depthToSpace`, PyTorch's `PixelShuffle` but for the order of features. @default false
   */
  spread: flag(false),
};

/** Arguments of {@link UpsampledMap}. */
export interface UpsampledMapArgs extends LayerArgs, Given<typeof upsampledMapArguments> {}

/**
 * Enlarges a map by repeating each place over a number of rows and columns: [N,h,w,F] -> [N,rows*h,columns*w,F]. Or, with
 * `spread`, by distributing its features: [N,h,w,rows*columns*F] -> [N,rows*h,columns*w,F], or those of a vector,
 * [N,rows*columns*F] -> [N,rows,columns,F]. Only for maps computed from conditions, since an enlarged map of the image would see later pixels. No weights.
 *
 * @throws TypeError naming `rows` or `columns` if it is not from 1 to 16,384, or the input if it is not a map.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { upsampledMap } from 'pixelcnn-layers';
 * const y = upsampledMap({ rows: 1, columns: 3 }).apply(tf.tensor4d([5, 6], [1, 1, 2, 1])); // [1, 1, 6, 1]
 * console.log(Array.from(await y.data())); // [5, 5, 5, 6, 6, 6]
 * ```
 */
export class UpsampledMap extends DeclaredLayer<Values<typeof upsampledMapArguments>, UpsampledMapArgs> {
  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    const { rows, columns, spread } = this.settings;
    return ops.upsample(x, rows, columns, spread); // [N,h,w,F] -> [N,rows*h,columns*w,F] or [N,rows*h,columns*w,F/rows/columns]
  }
}
defineLayer(UpsampledMap, 'UpsampledMap', upsampledMapArguments);

/** Makes an {@link UpsampledMap}. */
export const upsampledMap = (args?: UpsampledMapArgs) => new UpsampledMap(args);
