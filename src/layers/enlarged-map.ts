import { serialization } from '@tensorflow/tfjs-core';
import type { NamesOf } from '../core/check';
import type { Ops } from '../program/operations';
import { enlargement } from '../program/operations/maps';
import { checkLayerArgs, layerArgNames } from './layer-args';
import { PixelLayer } from './pixel-layer';
import type { LayerArgs } from './types';

/** Arguments of {@link EnlargedMap}. */
export interface EnlargedMapArgs extends LayerArgs {
  /** How many rows each row becomes. @default 2 */
  rows?: number;
  /** How many columns each column becomes. @default 2 */
  columns?: number;
}

const argNames: NamesOf<EnlargedMapArgs> = { rows: true, columns: true, ...layerArgNames };

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
export class EnlargedMap extends PixelLayer {
  /** @nocollapse */
  static className = 'EnlargedMap';

  private readonly rows: number;
  private readonly columns: number;

  constructor(args: EnlargedMapArgs = {}) {
    super(checkLayerArgs(EnlargedMap, new.target, args, argNames));
    this.rows = args.rows ?? 2;
    this.columns = args.columns ?? 2;
    for (const name of ['rows', 'columns'] as const) enlargement.check(`EnlargedMap: ${name}`, this[name]);
  }

  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return ops.enlarge(x, this.rows, this.columns); // [N,h,w,F] -> [N,rows*h,columns*w,F]
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), rows: this.rows, columns: this.columns };
  }
}
serialization.registerClass(EnlargedMap);

/** Makes an {@link EnlargedMap}. */
export function enlargedMap(args?: EnlargedMapArgs): EnlargedMap {
  return new EnlargedMap(args);
}
