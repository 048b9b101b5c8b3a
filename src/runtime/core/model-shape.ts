import type { ConditionShape } from './conditions';

/** The properties of a model that images and options must fit. */
export interface ModelShape {
  /** [H, W, C]; H and W are null if the model takes images of any size. */
  readonly imageShape: readonly [number | null, number | null, number];
  /** L, the number of levels of a channel. */
  readonly levels: number;
  /** The conditions that callers give. */
  readonly conditions: readonly ConditionShape[];
}
