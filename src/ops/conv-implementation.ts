import type { Tensor1D, Tensor4D, TensorInfo } from '@tensorflow/tfjs-core';

/** What follows the convolution within the same operation. */
export type FusedActivation = 'linear' | 'relu';

/** What tfjs hands its kernels beside tensors. */
export type ConvAttributes = { readonly presentColumns: number };

/** What a convolution takes. */
export interface ConvInputs {
  /** [N,H,W,in] */
  x: Tensor4D;
  /** [rows,columns,in,out] */
  kernel: Tensor4D;
  /** [out] */
  bias?: Tensor1D;
}

/** What its gradients need. */
export interface ConvSaved {
  x: Tensor4D;
  kernel: Tensor4D;
  /** The output [N,H,W,out] where a ReLU is part of the operation. */
  y?: Tensor4D;
}

/**
 * One way to compute the operation and its gradients; of the kernel's last row the first `presentColumns`
 * columns are used.
 */
export interface ConvImplementation {
  /** [N,H,W,out] */
  forward(inputs: ConvInputs, activation: FusedActivation, presentColumns: number): TensorInfo;
  /** Each computed when asked for: none for the image. */
  gradients(
    dy: Tensor4D,
    saved: ConvSaved,
    presentColumns: number,
  ): { x: () => Tensor4D; kernel: () => Tensor4D; bias: () => Tensor1D };
}
