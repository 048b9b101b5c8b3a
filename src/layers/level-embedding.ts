import { serialization } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { checkInteger, checkMemory, type NamesOf } from '../core/check';
import type { Ops } from '../program/operations';
import { checkEncodedLevels } from '../program/operations/levels';
import type { LayerWeight } from '../program/weights';
import { checkLayerArgs, layerArgNames } from './layer-args';
import { imageInputShape, imageInputSpec, PixelLayer } from './pixel-layer';
import { checkSeed, partSeed, type SeedArgs, seededInitializer } from './seeds';
import { configOf, given, type Parsed } from './stock-arguments';
import type { Constraint, Initializer, LayerArgs, Regularizer, Shape } from './types';

type EmbeddingArgs = Parameters<typeof layers.embedding>[0];

/** Arguments that it shares with tfjs-layers' own embedding, with the same meaning. */
const SHARED = ['embeddingsInitializer', 'embeddingsRegularizer', 'embeddingsConstraint'] as const;

type SharedArgs = Pick<EmbeddingArgs, (typeof SHARED)[number]>;

/**
 * Arguments of {@link LevelEmbedding}. The following mean the same as in tfjs's `embedding`, with these defaults:
 * `embeddingsInitializer` ('randomUniform'), `embeddingsRegularizer` and `embeddingsConstraint` (none). `seed` is for
 * an initializer that has no seed of its own.
 */
export interface LevelEmbeddingArgs extends LayerArgs, SharedArgs, SeedArgs {
  /** L, the levels that a channel can have, at most 65,536. */
  levels: number;
  /** U, the features of each channel. */
  units: number;
}

const argNames: NamesOf<LevelEmbeddingArgs> = {
  levels: true,
  units: true,
  seed: true,
  embeddingsInitializer: true,
  embeddingsRegularizer: true,
  embeddingsConstraint: true,
  ...layerArgNames,
};

/** What tfjs-layers' own embedding makes of the shared arguments. */
interface Settings extends Parsed {
  readonly embeddingsInitializer: Initializer;
  readonly embeddingsRegularizer: Regularizer;
  readonly embeddingsConstraint: Constraint;
}

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
export class LevelEmbedding extends PixelLayer {
  /** @nocollapse */
  static className = 'LevelEmbedding';

  private readonly levels: number;
  private readonly units: number;
  private readonly settings: Settings;
  private readonly seed: number | undefined;
  private table?: LayerWeight;

  constructor(args: LevelEmbeddingArgs) {
    super(checkLayerArgs(LevelEmbedding, new.target, args, argNames));
    this.levels = checkEncodedLevels('LevelEmbedding: levels', args.levels);
    this.units = checkInteger('LevelEmbedding: units', args.units, 1);
    checkMemory('LevelEmbedding: levels, units', [this.levels, this.units]);
    this.seed = checkSeed('LevelEmbedding', args.seed);
    const { name, levels: inputDim, units: outputDim } = this;
    const embedding: unknown = layers.embedding({ ...given(args, SHARED), name, inputDim, outputDim });
    this.settings = embedding as Settings;
  }

  override build(inputShape: Shape | Shape[]): void {
    const [, , , channels] = imageInputShape('LevelEmbedding', inputShape);
    const { levels, units, settings, seed } = this;
    this.table = this.addWeight(
      'embeddings',
      [levels, units],
      'float32',
      seededInitializer(settings.embeddingsInitializer, partSeed(seed, 'embeddings')),
      settings.embeddingsRegularizer,
      true,
      settings.embeddingsConstraint,
    );
    this.inputSpec = imageInputSpec(channels);
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const [n, h, w, channels] = imageInputShape('LevelEmbedding', inputShape);
    return [n, h, w, channels * this.units];
  }

  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return ops.embedLevels(x, this.table as LayerWeight); // [N,H,W,C] -> [N,H,W,C*U]
  }

  override getConfig(): serialization.ConfigDict {
    const { levels, units, seed = null } = this;
    return { ...super.getConfig(), ...configOf(this.settings, SHARED), levels, units, seed };
  }
}
serialization.registerClass(LevelEmbedding);

/** Makes a {@link LevelEmbedding}. */
export function levelEmbedding(args: LevelEmbeddingArgs): LevelEmbedding {
  return new LevelEmbedding(args);
}
