import {
  div,
  fill,
  matMul,
  maximum,
  mul,
  reshape,
  sqrt,
  square,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import { SMALLEST_SQUARE } from '../program/ops';

/**
 * gain direction / ||direction||, of each output by itself: weight normalization.
 *
 * Source: Salimans, Kingma, "Weight normalization" (2016), https://arxiv.org/abs/1602.07868.
 *
 * @param direction [rows,columns,in,out], already masked
 * @param gain [out]
 * @returns [rows,columns,in,out]
 */
export function normalizedKernel(direction: Tensor4D, gain: Tensor1D): Tensor4D {
  const [rows, columns, featuresIn, featuresOut] = direction.shape;
  const flat: Tensor2D = reshape(direction, [rows * columns * featuresIn, featuresOut]); // [M,out]
  const squares = matMul(fill([1, flat.shape[0]], 1), square(flat)); // [1,M] [M,out] -> [1,out]
  const factors = div(gain, sqrt(maximum(squares, SMALLEST_SQUARE))); // [1,out]
  return reshape(mul(flat, factors), direction.shape);
}
