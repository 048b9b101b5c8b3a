import { serialization } from '@tensorflow/tfjs-core';
import { type Given, integer, optional, type Values } from '../core/arguments';
import type { Ops } from '../program/operations';
import { DeclaredLayer } from './declared-layer';
import type { LayerArgs } from './types';

const declared = {
  /** Rows down, 0 or more. @default 0 */
  rows: optional(integer({ from: 0 }), 0),
  /** Columns to the right, 0 or more. @default 0 */
  columns: optional(integer({ from: 0 }), 0),
};

/** Arguments of {@link PixelShift}. */
export interface PixelShiftArgs extends LayerArgs, Given<typeof declared> {}

/**
 * Shifts features down by a number of rows and right by a number of columns, and fills with zeros: [N,H,W,F] ->
 * [N,H,W,F]. Features that are shifted down see rows above only, even if they had seen all of their own row. Features
 * that are shifted right see earlier pixels only, provided that they had seen none after their own. No weights.
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
export class PixelShift extends DeclaredLayer<Values<typeof declared>, PixelShiftArgs> {
  /** @nocollapse */
  static className = 'PixelShift';
  protected static readonly declared = declared;

  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return ops.shift(x, this.settings.rows, this.settings.columns); // [N,H,W,F]
  }
}
serialization.registerClass(PixelShift);

/** Makes a {@link PixelShift}. */
export function pixelShift(args: PixelShiftArgs): PixelShift {
  return new PixelShift(args);
}
