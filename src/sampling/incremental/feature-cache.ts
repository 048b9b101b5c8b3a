import type { Operand } from '../../kernels/instruction';
import { ROW } from '../../program/steps';
import type { Layout } from './layout';
import type { Plan } from './plan';

/** How far convolutions reach into a node's features: rows with the present one, columns to either side. */
export interface Reach {
  readonly rows: number;
  readonly margin: number;
}

/** Nothing but the present pixel. */
export const ONE_PIXEL: Reach = { rows: 1, margin: 0 };

/**
 * The features of one node in the heap: only the rows that a kernel can still reach, in turn,
 * [rows][images][margin + width + margin][slots], where the margins hold zeros. A node that no convolution
 * looks around has one pixel, unless it has features that are known for the whole row.
 */
export class FeatureCache {
  private readonly memory: Operand;
  private readonly rowStride: number;
  private readonly isOnePixel: boolean;

  constructor(
    private readonly plan: Plan,
    readonly layout: Layout,
    private readonly reach: Reach,
  ) {
    this.isOnePixel = reach.rows === 1 && reach.margin === 0 && !layout.steps.includes(ROW);
    const pixels = this.isOnePixel ? 1 : plan.width + 2 * reach.margin;
    this.memory = plan.reserveForImages(reach.rows, pixels * layout.slots);
    this.rowStride = plan.chunkImages * this.memory.stride;
  }

  /**
   * The features from a slot on, of the pixel so many rows above the present one and columns to the left of
   * it.
   */
  operand(slot = 0, above = 0, left = 0): Operand {
    const { base, offset, stride } = this.memory;
    if (this.isOnePixel) return { base, offset: offset + slot, stride };
    const { rowStride } = this;
    const { slots } = this.layout;
    const { rows, margin } = this.reach;
    const start = offset + margin * slots;
    const moving = this.plan.movingBase({ start, rowStride, rows, above, slots });
    return { base: moving, offset: slot - left * slots, stride, columnStride: slots };
  }
}
