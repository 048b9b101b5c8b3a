import { initializers } from '@tensorflow/tfjs-layers';
import type { Values } from '../runtime/core/arguments';
import { throwTypeError } from '../runtime/core/check';
import { addProjections, areConditions } from './conditions';
import type { Convolution } from './convolution-weights';
import { type Arithmetic, checkMap, DeclaredLayer, defineLayer } from './declared-layer';
import { type SeedArgs, seedArguments } from './seeds';
import type { LayerArgs, Shape } from './types';

// Layers that take the places of an image as a sequence, in row (raster) order, as transformers do.

/** Arguments of {@link RasterShift}. */
export interface RasterShiftArgs extends LayerArgs, SeedArgs {}

/**
 * Shifts features by one place in row order: each place gets the features of the place before it, the first place of a
 * row those of the last place of the row above, and the first place of the image a learnt start token. So features that
 * see their own pixel, but nothing after it, become features that see earlier pixels only.
 *
 * [N,H,W,F] -> [N,H,W,F]. Weights: start [F], initially uniform in [-0.05, 0.05].
 *
 * Source: Chen et al., "Generative Pretraining from Pixels" (2020), https://cdn.openai.com/papers/Generative_Pretraining_from_Pixels_V2.pdf,
 * section 2.2.
 *
 * @throws TypeError naming the argument, or an input that is not [N,H,W,F].
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { rasterShift } from 'pixelcnn-layers';
 * const layer = rasterShift({ weights: [tf.tensor1d([9])] });
 * const y = layer.apply(tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1])); // two rows of two pixels: [1, 2, 2, 1]
 * console.log(Array.from(await y.data())); // [9, 1, 2, 3]
 * ```
 */
export class RasterShift extends DeclaredLayer<Values<typeof seedArguments>, RasterShiftArgs> {
  protected override addWeights(shapes: readonly Shape[]): Arithmetic {
    const features = checkMap('input', shapes);
    const start = this.addSeededWeight('start', [features], initializers.randomUniform({}));
    return (ops, [x]) => ops.rasterShift(x, start); // [N,H,W,F]
  }
}
defineLayer(RasterShift, 'RasterShift', seedArguments);

/** Makes a {@link RasterShift}. */
export const rasterShift = (args?: RasterShiftArgs) => new RasterShift(args);

/** Arguments of {@link PlaceEmbedding}. */
export interface PlaceEmbeddingArgs extends LayerArgs, SeedArgs {}

/**
 * Adds a learnt vector to each place, which tells attention where it is, and a linear projection of each condition.
 *
 * x [N,H,W,F], or [x, condition, ...] with vectors [N,K] or maps [N,H,W,K], -> [N,H,W,F]. H and W must be known.
 * Weights: embeddings [H,W,F], initially uniform in [-0.05, 0.05], then a kernel [1,1,K,F] for each condition.
 *
 * Source: Chen et al., "Generative Pretraining from Pixels" (2020), https://cdn.openai.com/papers/Generative_Pretraining_from_Pixels_V2.pdf,
 * section 2.2. The conditions are ours.
 *
 * @throws TypeError naming the argument, or an input of unknown height and width, or of others than before.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { placeEmbedding } from 'pixelcnn-layers';
 * const layer = placeEmbedding({ weights: [tf.tensor3d([10, 20, 30], [1, 3, 1])] });
 * const y = layer.apply(tf.ones([1, 1, 3, 1])); // [1, 1, 3, 1]
 * console.log(Array.from(await y.data())); // [11, 21, 31]
 * ```
 */
export class PlaceEmbedding extends DeclaredLayer<Values<typeof seedArguments>, PlaceEmbeddingArgs> {
  protected override checkInputs([x = [], ...conditions]: readonly Shape[]): void {
    checkMap('input', [x]);
    if (x[1] == null || x[2] == null)
      throwTypeError('input', '[N,H,W,F] whose height and width are known', x);
    if (!areConditions(conditions, x))
      throwTypeError('inputs', 'x [N,H,W,F] and conditions [N,K] or [N,H,W,K], if any', [x, ...conditions]);
  }

  protected override addWeights([[, ...places] = [], ...conditions]: readonly Shape[]): Arithmetic {
    const shape = places as [height: number, width: number, features: number];
    const table = this.addSeededWeight('embeddings', shape, initializers.randomUniform({}));
    const projections = addProjections(this, conditions, shape[2]);
    return (ops, [x, ...conditions]) => {
      const embedded = ops.embedPlaces(x, table); // [N,H,W,F]
      const projected = conditions.map((one, index) => (projections[index] as Convolution)(ops, one)); // [..,K] -> [..,F]
      return projected.reduce((sum, one) => ops.combine('add', sum, one), embedded); // [N,H,W,F]
    };
  }
}
defineLayer(PlaceEmbedding, 'PlaceEmbedding', seedArguments);

/** Makes a {@link PlaceEmbedding}. */
export const placeEmbedding = (args?: PlaceEmbeddingArgs) => new PlaceEmbedding(args);
