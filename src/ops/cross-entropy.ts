import {
  cast,
  customGrad,
  expandDims,
  log,
  max,
  mul,
  oneHot,
  softmax,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { ownCrossEntropy } from './wasm-cross-entropy';

/**
 * -log softmax(logits)[label], in nats, one value a row, with a gradient of its own: softmax minus one-hot.
 *
 * The logarithm of the normaliser is taken at the most likely level, where the softmax cannot underflow:
 * log sum exp(x) = max(x) - log max(softmax(x)). That is exact for labels of any probability, and saves a pass of exp.
 *
 * @param labels [M] levels 0..L-1, int32
 * @param logits [M,L] finite
 * @returns [M]
 */
export function crossEntropy(labels: Tensor1D, logits: Tensor2D): Tensor1D {
  const op = customGrad((x, save) => {
    const rows = x as Tensor2D;
    const { value, gradient } = ownCrossEntropy(labels, rows) ?? composed(labels, rows);
    (save as (tensors: Tensor[]) => void)([gradient]);
    return {
      value,
      gradFunc: (dy: Tensor, saved: Tensor[]) => mul(saved[0] as Tensor2D, expandDims(dy, 1)), // [M,L]
    };
  });
  return op(logits) as Tensor1D;
}

/** The same in terms of tfjs's operations. */
function composed(labels: Tensor1D, logits: Tensor2D): { value: Tensor1D; gradient: Tensor2D } {
  const p = softmax(logits); // [M,L]
  const target = cast(oneHot(labels, logits.shape[1]), 'float32'); // [M,L]; oneHot's own float32 output is wrong on wasm
  const logNormaliser = sub(max(logits, 1), log(max(p, 1))); // [M]
  const value = sub(logNormaliser, sum(mul(target, logits), 1)) as Tensor1D; // [M]
  return { value, gradient: sub(p, target) };
}
