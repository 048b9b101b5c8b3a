import { type Given, integer, number, oneOf, optional, readArguments } from '../../core/arguments';
import { checkFeatures, checkOneOf, sizeFromShape, throwTypeError } from '../../core/check';
import type { Nodes } from '../nodes';
import { checkShape, groupsOf, operation, type Read, type WeightReference, weight } from '../operation';
import { checkLayerWeight, type LayerWeight, layerWeight } from '../weights';

export const softmaxNames = ['softmax', 'logSoftmax'] as const;
/** The name of a function of all features of a group. */
export type SoftmaxName = (typeof softmaxNames)[number];

const epsilon = number('of at least 0', (value) => value >= 0);
const groups = integer({ from: 1 });

// Arguments are made by functions, so that pages which only run programs do without them.

const scaleAndShift = () => ({
  /** @default 1 */
  scale: optional(layerWeight),
  /** @default 0 */
  shift: optional(layerWeight),
});

const standardizeArgs = () => ({
  ...scaleAndShift(),
  /** [F] */
  mean: layerWeight,
  /** [F] */
  variance: layerWeight,
  /** Added to the variance. */
  epsilon,
});

/** The norms of normalization. */
export const normArgument = /* @__PURE__ */ optional(/* @__PURE__ */ oneOf('layer', 'rms'), 'layer');

const normalizationArgs = () => ({
  ...scaleAndShift(),
  /** Added to the variance. */
  epsilon,
  /** The number of groups of features, each normalized by itself. @default 1 */
  groups: optional(groups, 1),
  /** `'rms'` divides by the root mean square, and subtracts no mean. @default 'layer' */
  norm: normArgument,
});

/** A scale and a shift: a number for each feature, [F], or one for all features, such as [1]. */
export interface ScaleAndShift extends Readonly<Given<ReturnType<typeof scaleAndShift>>> {}

/** Arguments of {@link Ops.standardize}: mean and variance [F]. */
export interface StandardizeArgs extends Readonly<Given<ReturnType<typeof standardizeArgs>>> {}

/** Arguments of {@link Ops.normalize}. */
export interface NormalizationArgs extends Readonly<Given<ReturnType<typeof normalizationArgs>>> {}

const perFeature = { scale: weight, shift: weight };

function checkPerFeature(
  what: string,
  size: number,
  { scale, shift }: Readonly<Record<keyof typeof perFeature, WeightReference>>,
): number {
  checkShape(`${what}: scale`, scale, [size]);
  checkShape(`${what}: shift`, shift, [size]);
  return size;
}

export const affine = operation({
  name: 'affine',
  operands: 1,
  fields: perFeature,
  size: ([x], fields, what) => checkPerFeature(what, x.size, fields),
});

/** Each feature is computed from all features of its group. */
const ofGroups = ({ size, groups }: { readonly size: number; readonly groups: number }) =>
  groupsOf(size, groups).map((features): Read => ({ features, operand: 0, of: features }));

const normalizeOf = <const Name extends 'normalize' | 'rms'>(name: Name) =>
  operation({
    name,
    operands: 1,
    fields: { ...perFeature, epsilon, groups },
    size: ([x], { groups, ...weights }, what) =>
      checkPerFeature(what, checkFeatures(`${what}: input`, x.size, groups, 'groups'), weights),
    reads: ofGroups,
  });

export const normalize = normalizeOf('normalize');
export const rms = normalizeOf('rms');

const softmaxOf = <const Name extends SoftmaxName>(name: Name) =>
  operation({
    name,
    operands: 1,
    fields: { groups },
    size: ([x], { groups }, what) => checkFeatures(`${what}: input`, x.size, groups, 'groups'),
    reads: ofGroups,
  });

export const softmax = softmaxOf('softmax');
export const logSoftmax = softmaxOf('logSoftmax');

/** Checks the weights that are named, since an accidental undefined would silently mean none. */
function checkNamed(what: string, args: object): void {
  for (const [name, weight] of Object.entries(args))
    if (name in scaleAndShift()) checkLayerWeight(`${what}: ${name}`, weight);
}

export const normalizeOps = <T>(nodes: Nodes<T>) => {
  const perFeatureOf = (x: T, what: string, { scale, shift }: ScaleAndShift) => {
    const size = nodes.sizeOf(x, what);
    return {
      scale: nodes.perFeature('scale', scale, size, 1),
      shift: nodes.perFeature('shift', shift, size, 0),
    };
  };
  return {
    /** scale x + shift, with a scale and a shift for each feature. */
    affine(x: T, args: ScaleAndShift): T {
      readArguments('affine', args, scaleAndShift());
      checkNamed('affine', args);
      return nodes.add(affine, [x], perFeatureOf(x, 'affine', args));
    },
    /**
     * (x - mean) / sqrt(variance + epsilon), with the mean and variance of each group of the pixel's features; for norm
     * `'rms'`, x / sqrt(mean of squares + epsilon).
     */
    normalize(x: T, args: NormalizationArgs): T {
      const { epsilon, groups, norm } = readArguments('normalize', args, normalizationArgs());
      checkNamed('normalize', args);
      const fields = { ...perFeatureOf(x, 'normalize', args), epsilon, groups };
      return nodes.add(norm === 'rms' ? rms : normalize, [x], fields);
    },
    /** (x - mean) / sqrt(variance + epsilon), then scale and shift, with separate numbers for each feature. */
    standardize(x: T, args: StandardizeArgs): T {
      const { mean, variance, epsilon, scale, shift } = readArguments('standardize', args, standardizeArgs());
      checkNamed('standardize', args);
      const size = nodes.sizeOf(x, 'standardize');
      const from = [mean, variance, scale, shift].filter((given) => given !== undefined);
      for (const { name, shape } of from) {
        if (![1, size].includes(sizeFromShape(shape)))
          throwTypeError(`weight '${name}'`, `one of shape [${size}]`, shape);
      }
      /** A weight [F], each number folded from those of its feature. */
      const folded = (name: string, fold: (factor: number, mean: number, beta: number) => number) =>
        nodes.derived(name, [size], from, (all) => {
          return Float32Array.from({ length: size }, (_, feature) => {
            /** The number of a weight for the feature: the only one, or one of [F]; `value` if there is no weight. */
            const numberOf = (weight: LayerWeight | undefined, value: number): number => {
              const numbers = weight && all[from.indexOf(weight)];
              return numbers?.[numbers.length === 1 ? 0 : feature] ?? value;
            };
            const factor = numberOf(scale, 1) / Math.sqrt(numberOf(variance, 1) + epsilon);
            return fold(factor, numberOf(mean, 0), numberOf(shift, 0));
          });
        });
      return nodes.add(affine, [x], {
        scale: folded('scale', (factor) => factor),
        shift: folded('shift', (factor, mean, beta) => beta - mean * factor),
      });
    },
    /**
     * e^x / sum e^x over the features of each group, one for each image channel, or its logarithm: [N,H,W,F] ->
     * [N,H,W,F].
     */
    softmax(fn: SoftmaxName, x: T, groups: number): T {
      checkOneOf('softmax', fn, softmaxNames);
      return nodes.add(fn === 'softmax' ? softmax : logSoftmax, [x], { groups });
    },
  };
};
