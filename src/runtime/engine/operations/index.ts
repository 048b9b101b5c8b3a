import type { ImageNode } from '../../program/program';
import type { Lowering } from '../lowering';
import { attend } from './attend';
import { conv } from './conv';
import { concat, concatElu, gate, shift, slice } from './features';
import { embedLevels, oneHot, oneHotLevels } from './levels';
import { lstm } from './lstm';
import { affine, normalize, softmax } from './normalize';
import { combination, pointwise } from './pointwise';
import { embedPlaces, rasterShift } from './raster';

/** An input, which is written from outside. */
const input = { emit() {} };

export const lowerings: { readonly [Name in ImageNode['op']]: Lowering<Name> } = {
  image: input,
  condition: input,
  conv,
  pointwise,
  add: combination,
  multiply: combination,
  maximum: combination,
  minimum: combination,
  concat,
  slice,
  shift,
  concatElu,
  gate,
  glu: gate,
  attend,
  lstm,
  affine,
  normalize,
  rms: normalize,
  softmax,
  logSoftmax: softmax,
  oneHot,
  oneHotLevels,
  embedLevels,
  rasterShift,
  embedPlaces,
};
