import { integer } from '../../core/arguments';
import type { Nodes } from '../nodes';
import { type FieldsAndSize, type Operands, type Operation, operation } from '../operation';
import { attend, attendOps } from './attend';
import { conv, convOps } from './conv';
import { concat, concatElu, featureOps, shift, slice } from './features';
import { gate, gateOps, glu } from './gate';
import { embedLevels, levelOps, oneHot, oneHotLevels } from './levels';
import { lstm, lstmOps } from './lstm';
import { mapOps, position, upsample } from './maps';
import { affine, logSoftmax, normalize, normalizeOps, rms, softmax } from './normalize';
import { combinations, pointwise, pointwiseOps } from './pointwise';
import { embedPlaces, rasterOps, rasterShift } from './raster';

/** The image, normalized to [0, 1]: one feature for each channel. Always the first node. */
const image = operation({
  name: 'image',
  operands: 0,
  fields: {},
  makesMaps: true,
  size: (_operands, _fields, _what, size) => size, // the channels, which only the caller knows
});

/** A condition, by its index: one vector for the whole image, or one for each pixel. */
const condition = operation({
  name: 'condition',
  operands: 0,
  fields: { index: integer({ from: 0 }) },
  size: (_operands, _fields, _what, size) => size,
});

/** All operations that a program may have, by name. */
export const operations = {
  image,
  condition,
  conv,
  pointwise,
  concat,
  slice,
  shift,
  upsample,
  position,
  concatElu,
  gate,
  glu,
  attend,
  lstm,
  affine,
  normalize,
  rms,
  softmax,
  logSoftmax,
  oneHot,
  oneHotLevels,
  embedLevels,
  rasterShift,
  embedPlaces,
  ...combinations,
} as const;

export type OperationName = keyof typeof operations;

export const operationOf = ({ op }: { readonly op: OperationName }): Operation => operations[op];

/** The operands of a node: indices of earlier nodes. */
type OperandsOf<Count extends Operands> = Count extends 0
  ? unknown
  : Count extends 1
    ? { readonly input: number }
    : { readonly inputs: readonly number[] };

export type NodeOf<Name extends OperationName> = Name extends OperationName
  ? (typeof operations)[Name] extends Operation<string, infer Count, infer D>
    ? { readonly op: Name } & FieldsAndSize<D> & OperandsOf<Count>
    : never
  : never;

/** The operations of layers, each of which adds nodes. */
export const opsOf = <T>(nodes: Nodes<T>) => ({
  ...convOps(nodes),
  ...pointwiseOps(nodes),
  ...featureOps(nodes),
  ...mapOps(nodes),
  ...gateOps(nodes),
  ...attendOps(nodes),
  ...lstmOps(nodes),
  ...normalizeOps(nodes),
  ...levelOps(nodes),
  ...rasterOps(nodes),
});

/**
 * The operations that layers are made of. A layer writes its arithmetic once, in terms of these operations. They are
 * then carried out on tensors (`call`), on shapes (`computeOutputShape`), or as a program (`sample`, `toPortable`,
 * `receptiveField`). So T is a tensor, [N,H,W,F] or [N,F] for a condition; a shape; or the features of a pixel.
 */
export interface Ops<T> extends ReturnType<typeof opsOf<T>> {}

/** A layer whose arithmetic is written once, in `express`. The class `PixelLayer` makes it a tfjs layer. */
export interface Expressed {
  /** Computes the layer's output from its inputs; null if it cannot be evaluated pixel by pixel. */
  express<T>(ops: Ops<T>, inputs: readonly [T, ...T[]]): T | null;
}
