import { provideGateKernels } from '../ops/gate';
import { pointWindow } from '../runtime/core/window';
import type { Ops } from '../runtime/program/operations';
import type { GateKind } from '../runtime/program/operations/gate';
import { addConvolution, type Convolution } from './convolution-weights';
import type { DeclaredLayer } from './declared-layer';
import type { Shape } from './types';

provideGateKernels();

/** The projection of a condition that is added to the inputs of a gate. */
export interface Projection {
  /** [N,K] or [N,H,W,K] -> [..,2F] */
  readonly project: Convolution;
  readonly isMap: boolean;
}

/** Whether conditions are vectors, or maps with the height and width of the features. */
export const areConditions = (conditions: readonly Shape[], [, h, w]: Shape): boolean =>
  conditions.every((condition) => {
    const [, height, width] = condition;
    const isMap = condition.length === 4 && height === h && width === w;
    return condition.at(-1) != null && (condition.length === 2 || isMap);
  });

/** Adds to a layer a projection of each condition to a number of features. */
export function addProjections(
  layer: DeclaredLayer<unknown, never>,
  conditions: readonly Shape[],
  features: number,
): Projection[] {
  return conditions.map((condition, index) => {
    // The name must not end in `_2`, the suffix by which tfjs makes names unique.
    const prefix = index === 0 ? 'condition_' : `condition${index + 1}_`;
    const sizes = [condition.at(-1) as number, features] as const;
    const project = addConvolution(layer, prefix, pointWindow, sizes, { useBias: false });
    return { project, isMap: condition.length === 4 };
  });
}

/** Gates features after adding the projections of the conditions: [N,H,W,2F] -> [N,H,W,F]. */
export function conditionedGate<T>(
  ops: Ops<T>,
  x: T,
  conditions: readonly T[],
  projections: readonly Projection[],
  { groups, kind }: { groups: number; kind: GateKind },
): T {
  const ofPixels = [x]; // [N,H,W,2F] each
  const ofImages: T[] = []; // [N,2F] each
  for (const [index, { project, isMap }] of projections.entries()) {
    const projected = project(ops, conditions[index] as T); // [..,K] -> [..,2F]
    if (isMap) ofPixels.push(projected);
    else ofImages.push(projected);
  }
  const sumOf = (terms: T[]) => (terms.length > 1 ? ops.combine('add', ...terms) : terms[0]); // [..,2F]
  const ofImage = sumOf(ofImages); // undefined without any
  return ops.gate(sumOf(ofPixels) as T, groups, ofImage, kind); // [N,H,W,2F] -> [N,H,W,F]
}
