import type { Layout } from './layout';

/** How far convolutions reach into a node's features: rows with the present one, columns to either side. */
export interface Reach {
  readonly rows: number;
  readonly margin: number;
}

/**
 * The features of one node in the heap, for all images: only the rows that a kernel can still reach, in turn, each with a margin of zeros on both
 * sides. A node that no convolution looks around has one pixel. Offsets count floats.
 */
export class FeatureCache {
  /** Floats from image to image. */
  readonly imageStride: number;
  /** Floats in all. */
  readonly size: number;
  /** Where the features of the present pixel of the first image begin. */
  here = 0;
  private start = 0;
  private row = 0;
  private column = 0;
  private readonly rowStride: number;
  private readonly isOnePixel: boolean;

  constructor(
    readonly layout: Layout,
    private readonly reach: Reach,
    width: number,
    numImages: number,
  ) {
    this.isOnePixel = reach.rows === 1 && reach.margin === 0;
    this.imageStride = (this.isOnePixel ? 1 : width + 2 * reach.margin) * layout.slots;
    this.rowStride = numImages * this.imageStride;
    this.size = reach.rows * this.rowStride;
  }

  /** Takes its place in the heap. */
  placeAt(start: number): void {
    this.start = start;
    this.here = start;
  }

  /** Makes a pixel the present one. */
  moveTo(row: number, column: number): void {
    this.row = row;
    this.column = column;
    if (!this.isOnePixel) this.here = this.offset(0, 0);
  }

  /** Where the features of the pixel so many rows above and columns to the left begin. */
  offset(above: number, left: number): number {
    const { rows, margin } = this.reach;
    const row = (this.row + rows - above) % rows;
    return this.start + row * this.rowStride + (this.column - left + margin) * this.layout.slots;
  }
}
