import { keep, mul, slice, type Tensor4D, tensor4d } from '@tensorflow/tfjs-core';
import { getMask, type MaskArgs } from '../mask';

/**
 * The mask of one kernel on the device: its causal rows only, those that reach no pixel below the present
 * one. Belongs to a layer and is disposed with it. A mask that hides nothing (a 1x1 kernel on one channel) is
 * not kept at all.
 */
export class CausalMask {
  private readonly rows: number;
  private readonly mask: Tensor4D | null; // [rows,columns,in,out]
  /** How many columns of the last row, from the left, are not masked for all features. */
  readonly presentColumns: number;

  constructor(args: MaskArgs) {
    const { shape, values } = getMask(args);
    const [kernelRows, columns, featuresIn, featuresOut] = shape;
    this.rows = (kernelRows >> 1) + 1;
    this.presentColumns = presentColumns(args, columns);
    const causal = values.subarray(0, this.rows * columns * featuresIn * featuresOut);
    this.mask = causal.every((value) => value === 1)
      ? null
      : keep(tensor4d(causal, [this.rows, columns, featuresIn, featuresOut]));
  }

  /**
   * [kernel rows,columns,in,out] -> [causal rows,columns,in,out], zero where masked. To be called within a
   * tidy.
   */
  apply(kernel: Tensor4D): Tensor4D {
    const [kernelRows, columns, featuresIn, featuresOut] = kernel.shape;
    const causal =
      this.rows === kernelRows ? kernel : slice(kernel, 0, [this.rows, columns, featuresIn, featuresOut]); // [causal rows,columns,in,out]
    return this.mask === null ? causal : mul(causal, this.mask);
  }

  dispose(): void {
    this.mask?.dispose();
  }
}

/** Those up to the kernel's middle; in a vertical stack none with mask A, all with B. */
function presentColumns({ vertical, maskType }: MaskArgs, columns: number): number {
  if (!vertical) return (columns >> 1) + 1;
  return maskType === 'A' ? 0 : columns;
}
