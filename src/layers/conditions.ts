import { pointWindow } from '../core/window';
import { provideGateKernels } from '../ops/gate';
import type { Ops } from '../program/operations';
import type { GateKind } from '../program/operations/gate';
import type { LayerWeight } from '../program/weights';
import { addKernel } from './convolution-weights';
import type { DeclaredLayer } from './declared-layer';
import type { Shape } from './types';

provideGateKernels();

/** What a condition adds to the inputs of a gate: [N,K] or [N,H,W,K] -> [..,2F]. */
export interface Projection {
  /** [1,1,K,2F] */
  readonly kernel: LayerWeight;
  readonly isMap: boolean;
}

/** Whether shapes are those of vectors, or of maps with the same height and width as the features. */
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
    // The name must not end in `_2`: that is how tfjs makes names unique.
    const name = index === 0 ? 'condition_kernel' : `condition${index + 1}_kernel`;
    const shape = [1, 1, condition.at(-1) as number, features];
    return { kernel: addKernel(layer, name, shape, {}), isMap: condition.length === 4 };
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
  const ofPixels: T[] = [];
  const ofImages: T[] = [];
  for (const [index, { kernel, isMap }] of projections.entries()) {
    const projected = ops.conv(conditions[index] as T, kernel, null, pointWindow); // [..,K] -> [..,2F]
    (isMap ? ofPixels : ofImages).push(projected);
  }
  const sum = (first: T, ...rest: T[]) => (rest.length > 0 ? ops.combine('add', first, ...rest) : first); // all [..,2F]
  const [vector, ...vectors] = ofImages;
  const ofImage = vector === undefined ? undefined : sum(vector, ...vectors);
  return ops.gate(sum(x, ...ofPixels), groups, ofImage, kind); // [N,H,W,2F] -> [N,H,W,F]
}
