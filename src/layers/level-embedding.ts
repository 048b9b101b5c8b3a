import { serialization } from '@tensorflow/tfjs-core';
import { checked, type Given, integer, type Values } from '../core/arguments';
import type { Ops } from '../program/operations';
import { checkEncodedLevels } from '../program/operations/levels';
import type { LayerWeight } from '../program/weights';
import { checkMap, DeclaredLayer } from './declared-layer';
import { seedArguments } from './seeds';
import { constraint, initializer, regularizer } from './stock-arguments';
import type { LayerArgs, Shape } from './types';

const declared = {
  /** L, the levels that a channel can have, at most 65,536. */
  levels: checked(checkEncodedLevels),
  /** U, the features of each channel. */
  units: integer({ from: 1 }),
  /** As in tfjs's `embedding`; drawn by `seed` if it has no seed of its own. @default 'randomUniform' */
  embeddingsInitializer: initializer('randomUniform'),
  /** As in tfjs's `embedding`. @default none */
  embeddingsRegularizer: regularizer(),
  /** As in tfjs's `embedding`. @default none */
  embeddingsConstraint: constraint(),
  ...seedArguments,
};

/** Arguments of {@link LevelEmbedding}. */
export interface LevelEmbeddingArgs extends LayerArgs, Given<typeof declared> {}

/**
 * Turns levels into learnt vectors, one for each level: normalized levels [N,H,W,C], as `normalize` makes them, become
 * [N,H,W,C*U], with the U features of each channel side by side. All channels share one table.
 *
 * The level of x is round(x * (L - 1)), with halves rounded up. If that is not one of 0..L-1, or x is NaN, all U
 * features are 0. No gradient flows back into the image. Weights: embeddings [L,U]; they train on every backend.
 *
 * @throws TypeError naming `levels` or `units`, or the input that is not [N,H,W,C].
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { levelEmbedding, normalize } from 'pixelcnn-layers';
 * const layer = levelEmbedding({ levels: 3, units: 2 });
 * const codes = tf.tensor4d([2, 0], [1, 1, 2, 1], 'int32'); // two pixels
 * layer.apply(normalize(codes, 3)); // [1, 1, 2, 2]; builds it
 * layer.setWeights([tf.tensor2d([[10, 11], [20, 21], [30, 31]])]);
 * console.log(Array.from(await layer.apply(normalize(codes, 3)).data())); // [30, 31, 10, 11]
 * ```
 */
export class LevelEmbedding extends DeclaredLayer<Values<typeof declared>, LevelEmbeddingArgs> {
  /** @nocollapse */
  static className = 'LevelEmbedding';
  protected static readonly declared = declared;

  private table?: LayerWeight;

  protected override checkInputs(shapes: readonly Shape[]): void {
    checkMap('input', shapes);
  }

  protected override addWeights(): void {
    const { levels, units, embeddingsInitializer, embeddingsRegularizer, embeddingsConstraint } =
      this.settings;
    this.table = this.addSeededWeight('embeddings', [levels, units], {
      initializer: embeddingsInitializer,
      regularizer: embeddingsRegularizer,
      constraint: embeddingsConstraint,
    });
  }

  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return ops.embedLevels(x, this.table as LayerWeight); // [N,H,W,C] -> [N,H,W,C*U]
  }
}
serialization.registerClass(LevelEmbedding);

/** Makes a {@link LevelEmbedding}. */
export function levelEmbedding(args: LevelEmbeddingArgs): LevelEmbedding {
  return new LevelEmbedding(args);
}
