import type { NodeOf } from '../program/operations';
import type { ImageNode, PortableModel, Weight } from '../program/program';
import type { FeatureCache, Plan } from './plan';

export interface Target {
  readonly plan: Plan;
  readonly height: number;
  readonly weight: (name: string) => Weight;
  /** The numbers of a weight. Call it again rather than keep a large result, so that only one weight is unpacked at a time. */
  readonly numbers: (name: string) => Float32Array;
}

/** The lower bound of a product without a ReLU. */
export const NO_BOUND = -Infinity;

/** How the engine carries out an operation. */
export interface Lowering<Name extends ImageNode['op'] = ImageNode['op']> {
  /** Adds instructions that compute y, each feature at its time. `hasRelu`: whether a convolution ends in a ReLU. */
  emit(
    target: Target,
    node: NodeOf<Name>,
    operands: readonly [FeatureCache, ...FeatureCache[]],
    y: FeatureCache,
    hasRelu: boolean,
  ): void;
  /** Where features lie: each group's side by side, or the operands' concatenated. @default like its operand's */
  readonly layout?: 'sideBySide' | 'concatenated';
  /** How far it reads in its operands: rows above the current pixel, columns to either side. @default nothing there */
  reads?(node: NodeOf<Name>): { readonly above: number; readonly columns: number };
  /** How far it reads in its own earlier features. @default nothing */
  readsOwn?: Lowering<Name>['reads'];
  /** If it reads the numbers of its operand's levels instead of features, how many levels there are. */
  levels?(node: NodeOf<Name>, weights: PortableModel['weights']): number;
}
