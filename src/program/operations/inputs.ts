import { integer } from '../../core/arguments';
import { operation } from '../operation';

/** The image, normalized to [0, 1]: one feature for each channel. Always the first node. */
export const image = operation({
  name: 'image',
  operands: 0,
  fields: {},
  size: (_operands, _fields, _what, size) => size, // the channels, as whoever adds it knows
});

/** A condition, by its index: one vector for the image, or one for each pixel. */
export const condition = operation({
  name: 'condition',
  operands: 0,
  fields: { index: integer({ from: 0 }) },
  size: (_operands, _fields, _what, size) => size,
});
