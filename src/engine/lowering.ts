import type { NodeOf } from '../program/operations';
import type { ImageNode, PortableModel } from '../program/program';
import type { FeatureCache, Plan } from './plan';

/** What the instructions of a program are added to. */
export interface Target {
  readonly plan: Plan;
  /** Rows of the images. */
  readonly height: number;
  /** The numbers of a weight. */
  readonly numbers: (weight: string) => Float32Array;
}

/** The lower bound of a product without a ReLU. */
export const NO_BOUND = -Infinity;

/** How the engine carries out an operation. */
export interface Lowering<Name extends ImageNode['op'] = ImageNode['op']> {
  /**
   * Adds the instructions that compute y from the operands, each feature at its time. `hasRelu` only for convolutions:
   * whether a ReLU follows, which is then part of it.
   */
  emit(
    target: Target,
    node: NodeOf<Name>,
    operands: readonly [FeatureCache, ...FeatureCache[]],
    y: FeatureCache,
    hasRelu: boolean,
  ): void;
  /**
   * Where its features lie: those of a group side by side, or the operands' one after the other. By default as those of
   * its operand, so that whole runs are computed at once.
   */
  readonly layout?: 'sideBySide' | 'concatenated';
  /** What it reads of its operands: rows above the current pixel, columns to either side. @default nothing there */
  reads?(node: NodeOf<Name>): { readonly above: number; readonly columns: number };
  /** What it reads of its own earlier features. @default nothing */
  readsOwn?: Lowering<Name>['reads'];
  /** How many levels its operand's numbers stand for, if it wants the numbers of the levels instead. */
  levels?(node: NodeOf<Name>, weights: PortableModel['weights']): number;
}
