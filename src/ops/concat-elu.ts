import { concat, elu, neg, type Tensor } from '@tensorflow/tfjs-core';

/**
 * elu(x), then elu(-x).
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, and its code.
 *
 * @param x [..,F]
 * @returns [..,2F]
 */
export function concatElu(x: Tensor): Tensor {
  return concat([elu(x), elu(neg(x))], -1); // [..,F] -> [..,2F]
}
