import { categories, checked, flag, type Given, integer, type Values } from '../runtime/core/arguments';
import { throwTypeError } from '../runtime/core/check';
import type { Ops } from '../runtime/program/operations';
import { checkEncodedLevels } from '../runtime/program/operations/levels';
import { type Arithmetic, checkMap, DeclaredLayer, defineLayer } from './declared-layer';
import { seedArguments } from './seeds';
import { constraint, initializer, regularizer } from './stock-arguments';
import type { LayerArgs, Shape } from './types';

// Layers that turn levels, codes and classes into features.

const oneHotLevelsArguments = {
  /** L, the levels that a channel can have, at most 2^20 = 1,048,576. */
  levels: checked(checkEncodedLevels),
};

/** Arguments of {@link OneHotLevels}. */
export interface OneHotLevelsArgs extends LayerArgs, Given<typeof oneHotLevelsArguments> {}

/**
 * Turns levels into one-hot vectors: normalized levels [N,H,W,C], from `normalize`, become [N,H,W,C*L], with
 * the L features of each channel side by side. It has no weights, and no gradient flows back into the image.
 *
 * The level of x is round(x * (L - 1)), with halves rounded up. If that is not one of 0..L-1, or x is NaN, all L
 * features are 0. In sampling, a convolution looks up one row of its kernel for each value, so L costs nothing.
 *
 * Source: Chen et al., "PixelSNAIL: An Improved Autoregressive Generative Model" (2018), as used by
 * the priors of Razavi et al., "Generating Diverse High-Fidelity Images with VQ-VAE-2" (2019).
 *
 * @throws TypeError naming `levels`, or the input that is not [N,H,W,C].
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { normalize, oneHotLevels } from 'pixelcnn-layers';
 * const image = tf.tensor4d([2, 0], [1, 1, 1, 2], 'int32'); // one pixel of two channels
 * const y = oneHotLevels({ levels: 3 }).apply(normalize(image, 3)); // [1, 1, 1, 6]
 * console.log(Array.from(await y.data())); // [0, 0, 1, 1, 0, 0]
 * ```
 */
export class OneHotLevels extends DeclaredLayer<Values<typeof oneHotLevelsArguments>, OneHotLevelsArgs> {
  protected override checkInputs(shapes: readonly Shape[]): void {
    checkMap('input', shapes);
  }

  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return ops.oneHotLevels(x, this.settings.levels); // [N,H,W,C] -> [N,H,W,C*L]
  }
}
defineLayer(OneHotLevels, 'OneHotLevels', oneHotLevelsArguments);

/** Makes a {@link OneHotLevels}. */
export const oneHotLevels = (args: OneHotLevelsArgs) => new OneHotLevels(args);

const levelEmbeddingArguments = {
  ...oneHotLevelsArguments,
  /** U, the features of each channel. */
  units: integer({ from: 1 }),
  /** As in tfjs's `embedding`; seeded by `seed` if it has no seed. @default 'randomUniform' */
  embeddingsInitializer: initializer('randomUniform'),
  /** As in tfjs's `embedding`. @default none */
  embeddingsRegularizer: regularizer(),
  /** As in tfjs's `embedding`. @default none */
  embeddingsConstraint: constraint(),
  ...seedArguments,
};

/** Arguments of {@link LevelEmbedding}. */
export interface LevelEmbeddingArgs extends LayerArgs, Given<typeof levelEmbeddingArguments> {}

/**
 * Turns levels into learnt vectors, one for each level, with U features a channel: [N,H,W,C] -> [N,H,W,C*U]. Levels are
 * as in {@link OneHotLevels}. All channels share one table. Weights: embeddings [L,U], which train on every backend.
 *
 * @throws TypeError naming `levels` or `units`, or the input that is not [N,H,W,C].
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { levelEmbedding } from 'pixelcnn-layers';
 * const layer = levelEmbedding({ levels: 3, units: 2, weights: [tf.tensor2d([[10, 11], [20, 21], [30, 31]])] });
 * const y = layer.apply(tf.tensor4d([1, 0], [1, 1, 2, 1])); // two pixels, of levels 2 and 0: [1, 1, 2, 2]
 * console.log(Array.from(await y.data())); // [30, 31, 10, 11]
 * ```
 */
export class LevelEmbedding extends DeclaredLayer<
  Values<typeof levelEmbeddingArguments>,
  LevelEmbeddingArgs
> {
  protected override checkInputs(shapes: readonly Shape[]): void {
    checkMap('input', shapes);
  }

  protected override addWeights(): Arithmetic {
    const { levels, units, embeddingsInitializer, embeddingsRegularizer, embeddingsConstraint } =
      this.settings;
    const how = [embeddingsInitializer, embeddingsRegularizer, embeddingsConstraint] as const;
    const table = this.addSeededWeight('embeddings', [levels, units], ...how);
    return (ops, [x]) => ops.embedLevels(x, table); // [N,H,W,C] -> [N,H,W,C*U]
  }
}
defineLayer(LevelEmbedding, 'LevelEmbedding', levelEmbeddingArguments);

/** Makes a {@link LevelEmbedding}. */
export const levelEmbedding = (args: LevelEmbeddingArgs) => new LevelEmbedding(args);

const oneHotClassArguments = {
  /** K; classes are the integers 0..K-1. */
  numClasses: categories({ from: 1 }),
  /** Whether K is an additional class that means "no class", for training with dropped conditions. @default false */
  nullClass: flag(false),
};

/** Arguments of {@link OneHotClass}. */
export interface OneHotClassArgs extends LayerArgs, Given<typeof oneHotClassArguments> {}

/**
 * Turns classes into one-hot vectors, as a condition: integers [N,1] become [N,K], or [N,K+1] with a null class,
 * float32; zeros if they are no class. No weights. By this layer, functions with an option `condition` see that a
 * model takes classes.
 *
 * Source: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders" (2016),
 * https://arxiv.org/abs/1606.05328, section 2.3: h "a one-hot encoding that specifies a class".
 *
 * @throws TypeError naming the invalid argument, or an input of another shape.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { oneHotClass } from 'pixelcnn-layers';
 * const layer = oneHotClass({ numClasses: 3 });
 * layer.apply(tf.tensor2d([[2], [0]], [2, 1], 'int32')).print(); // [[0, 0, 1], [1, 0, 0]]
 * ```
 */
export class OneHotClass extends DeclaredLayer<Values<typeof oneHotClassArguments>, OneHotClassArgs> {
  protected override checkInputs(shapes: readonly Shape[]): void {
    const [[, one, ...rest] = [], ...others] = shapes;
    if (one !== 1 || rest.length > 0 || others.length > 0)
      throwTypeError('input', 'classes [N,1]', others.length > 0 ? shapes : shapes[0]);
  }

  override express<T>(ops: Ops<T>, [classes]: readonly [T, ...T[]]): T {
    const { numClasses, nullClass } = this.settings;
    return ops.oneHot(classes, numClasses + (nullClass ? 1 : 0)); // [N,1] -> [N,K]
  }
}
defineLayer(OneHotClass, 'OneHotClass', oneHotClassArguments);

/** Makes a {@link OneHotClass}. */
export const oneHotClass = (args: OneHotClassArgs) => new OneHotClass(args);

const oneHotCodesArguments = {
  /** K; codes are the integers 0..K-1. */
  levels: categories({ from: 2 }),
};

/** Arguments of {@link OneHotCodes}. */
export interface OneHotCodesArgs extends LayerArgs, Given<typeof oneHotCodesArguments> {}

/**
 * Turns a map of codes into one-hot vectors, as a condition: integers [N,h,w,1] become [N,h,w,K], float32; zeros if
 * they are no code. No weights. By this layer, functions with an option `condition` see that a model takes codes.
 *
 * Layers that read codes may look in all directions ({@link ShiftedConv2D} with `shift: 'same'`). Codes of another
 * height and width must be enlarged to the image's before their features are combined ({@link UpsampledMap}).
 *
 * Source: Razavi et al., "Generating Diverse High-Fidelity Images with VQ-VAE-2" (2019),
 * https://arxiv.org/abs/1906.00446, section 3.2, where priors of finer codes are conditioned on coarser codes.
 *
 * @throws TypeError naming the invalid argument, or an input of another shape.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { oneHotCodes } from 'pixelcnn-layers';
 * const y = oneHotCodes({ levels: 3 }).apply(tf.tensor4d([2, 0], [1, 1, 2, 1], 'int32')); // [1, 1, 2, 3]
 * console.log(Array.from(await y.data())); // [0, 0, 1, 1, 0, 0]
 * ```
 */
export class OneHotCodes extends DeclaredLayer<Values<typeof oneHotCodesArguments>, OneHotCodesArgs> {
  protected override checkInputs(shapes: readonly Shape[]): void {
    if (checkMap('input', shapes) !== 1) throwTypeError('input', 'codes [N,h,w,1]', shapes[0]);
  }

  override express<T>(ops: Ops<T>, [codes]: readonly [T, ...T[]]): T {
    return ops.oneHot(codes, this.settings.levels); // [N,h,w,1] -> [N,h,w,K]
  }
}
defineLayer(OneHotCodes, 'OneHotCodes', oneHotCodesArguments);

/** Makes a {@link OneHotCodes}. */
export const oneHotCodes = (args: OneHotCodesArgs) => new OneHotCodes(args);
