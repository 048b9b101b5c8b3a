import { anything, checkDeclared, type Declaration, type Values } from '../core/arguments';
import { checkMaxValues, checkOneOf } from '../core/check';
import { softmax } from './categorical';
import { gaussian } from './gaussian';
import { logisticMixture } from './logistic-mixture';
import type { DistributionKind, PixelDistribution, PixelSizes } from './pixel-distribution';

/** The distributions that files can store, by name. */
export const kinds = { softmax, logisticMixture, gaussian };

type Kinds = typeof kinds;

/** A distribution as data: its kind, and the fields of that kind. */
export type DistributionShape = {
  [Kind in keyof Kinds]: { readonly kind: Kind } & Values<Kinds[Kind]['fields']>;
}[keyof Kinds];

/** The kind of a shape; undefined if there is no such kind. */
const kindOf = ({ kind }: { readonly kind?: unknown }): DistributionKind<Declaration> | undefined =>
  Object.hasOwn(kinds, String(kind)) ? kinds[kind as keyof Kinds] : undefined;

/** P; NaN or undefined if the shape is invalid. */
export const numParametersOf = (shape: DistributionShape, sizes: PixelSizes): number | undefined =>
  kindOf(shape)?.numParameters({ ...sizes, ...shape });

/** The parts of a model that determine its distribution. */
interface ModelOutputs {
  readonly imageShape: readonly [unknown, unknown, number];
  readonly levels: number;
  /** @default a softmax */
  readonly distribution?: DistributionShape | undefined;
}

/** The distributions made so far. They keep no state between calls. */
const made = /* @__PURE__ */ new WeakMap<ModelOutputs, PixelDistribution>();

/** The distribution of a model, made once. */
export function distributionOf(model: ModelOutputs): PixelDistribution {
  const { imageShape, levels, distribution: shape = { kind: 'softmax' } } = model;
  const { make } = kindOf(shape) as DistributionKind<Declaration>;
  const distribution = made.get(model) ?? make({ imageChannels: imageShape[2], levels, ...shape });
  made.set(model, distribution);
  return distribution;
}

/** Checks the distribution of a file, without making it. */
export function checkDistributionShape(
  shape: unknown,
  sizes: PixelSizes,
  maxValues: number,
): DistributionShape {
  if (shape === undefined) return { kind: 'softmax' };
  const given = shape as Partial<DistributionShape> | null;
  const kind = checkOneOf('distribution: kind', given?.kind, Object.keys(kinds) as (keyof Kinds)[]);
  const { fields, limited } = kinds[kind] as DistributionKind<Declaration>;
  const values = checkDeclared('distribution', shape, { kind: anything(), ...fields });
  for (const [name, size] of Object.entries(limited({ ...sizes, ...values })))
    checkMaxValues(`distribution: ${name}`, size, maxValues);
  return shape as DistributionShape;
}
