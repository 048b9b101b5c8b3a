import { provideGateKernels } from '../ops/gate';
import { pointWindow } from '../runtime/core/window';
import type { Ops } from '../runtime/program/operations';
import type { GateKind } from '../runtime/program/operations/gate';
import { addConvolution, type Convolution } from './convolution-weights';
import type { DeclaredLayer } from './declared-layer';
import type { Shape } from './types';

provideGateKernels();

/** Whether conditions are vectors, or maps with the height and width of the features. */
export const areConditions = (conditions: readonly Shape[], [, h, w]: Shape): boolean =>
  conditions.every((condition) => {
    const [, height, width] = condition;
    const isMap = condition.length === 4 && height === h && width === w;
    return condition.at(-1) != null && (condition.length === 2 || isMap);
  });

/** Adds to a layer a projection of each condition, [N,K] or [N,H,W,K], to a number of features. */
export const addProjections = (
  layer: DeclaredLayer<unknown, never>,
  conditions: readonly Shape[],
  features: number,
): Convolution[] =>
  conditions.map((condition, index) => {
    // The name must not end in `_2`, the suffix by which tfjs makes names unique.
    const prefix = index === 0 ? 'condition_' : `condition${index + 1}_`;
    const sizes = [condition.at(-1) as number, features] as const;
    return addConvolution(layer, prefix, pointWindow, sizes, { useBias: false });
  });

/**
 * Adds to a layer the projections of its conditions, and returns the gate of features to which they are added:
 * [N,H,W,2F] -> [N,H,W,F].
 */
export function addGate(
  layer: DeclaredLayer<unknown, never>,
  conditions: readonly Shape[],
  features: number,
  groups: number,
  kind: GateKind,
) {
  const projections = addProjections(layer, conditions, features);
  return <T>(ops: Ops<T>, x: T, given: readonly T[]): T => {
    const projected = projections.map((project, index) => project(ops, given[index] as T)); // [..,K] -> [..,2F]
    const sumOf = (terms: T[]) => (terms.length > 1 ? ops.combine('add', ...terms) : terms[0]); // [..,2F]
    const ofPixels = projected.filter((_, index) => conditions[index]?.length === 4); // [N,H,W,2F] each
    const ofImages = projected.filter((_, index) => conditions[index]?.length === 2); // [N,2F] each
    const ofImage = sumOf(ofImages); // undefined without any
    return ops.gate(sumOf([x, ...ofPixels]) as T, groups, ofImage, kind);
  };
}
