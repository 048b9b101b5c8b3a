import { serialization } from '@tensorflow/tfjs-core';
import { type Given, integer, optional, type Values } from '../core/arguments';
import { MOST_LENGTH } from '../core/images';
import type { Ops } from '../program/operations';
import { DeclaredLayer } from './declared-layer';
import type { LayerArgs } from './types';

const declared = {
  /** How many rows each row becomes. @default 2 */
  rows: optional(integer({ from: 1, to: MOST_LENGTH }), 2),
  /** How many columns each column becomes. @default 2 */
  columns: optional(integer({ from: 1, to: MOST_LENGTH }), 2),
};

/** Arguments of {@link EnlargedMap}. */
export interface EnlargedMapArgs extends LayerArgs, Given<typeof declared> {}

/**
 * Enlarges a map by repeating each place over a number of rows and columns: [N,h,w,F] -> [N,rows*h,columns*w,F]. Only
 * for maps computed from conditions: enlarging a map computed from the image would let it see later pixels. No weights.
 *
 * @throws TypeError naming `rows` or `columns` if it is not an integer from 1 to 16,384, or the input if it is not a map.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { enlargedMap } from 'pixelcnn-layers';
 * const y = enlargedMap({ rows: 1, columns: 3 }).apply(tf.tensor4d([5, 6], [1, 1, 2, 1])); // [1, 1, 6, 1]
 * console.log(Array.from(await y.data())); // [5, 5, 5, 6, 6, 6]
 * ```
 */
export class EnlargedMap extends DeclaredLayer<Values<typeof declared>, EnlargedMapArgs> {
  /** @nocollapse */
  static className = 'EnlargedMap';
  protected static readonly declared = declared;

  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return ops.enlarge(x, this.settings.rows, this.settings.columns); // [N,h,w,F] -> [N,rows*h,columns*w,F]
  }
}
serialization.registerClass(EnlargedMap);

/** Makes an {@link EnlargedMap}. */
export function enlargedMap(args?: EnlargedMapArgs): EnlargedMap {
  return new EnlargedMap(args);
}
