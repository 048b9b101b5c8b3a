import {
  cast,
  customGrad,
  engine,
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
import { wasmCrossEntropy } from './wasm-cross-entropy';

/**
 * -log softmax(logits)[label], in nats, one value a row, with a gradient of its own: softmax minus one-hot.
 *
 * The logarithm of the normaliser is taken at the most likely level, where the softmax cannot underflow: log
 * sum exp(x) = max(x) - log max(softmax(x)). That is exact for labels of any probability, and saves a pass of
 * exp.
 *
 * @param labels [M] levels 0..L-1, int32
 * @param logits [M,L] finite
 * @returns [M]
 */
export function crossEntropy(labels: Tensor1D, logits: Tensor2D): Tensor1D {
  // Within the gradient of a gradient, which must be differentiable itself: made anew from the logits, by
  // operations that are.
  const isRecorded = engine().state.gradientDepth > 1;
  const op = customGrad((x, save) => {
    const rows = x as Tensor2D;
    const { value, gradient } = wasmCrossEntropy(labels, rows) ?? composedCrossEntropy(labels, rows);
    (save as (tensors: Tensor[]) => void)(isRecorded ? [rows, labels] : [gradient]);
    return {
      value,
      gradFunc(dy: Tensor, saved: Tensor[]) {
        const [first, savedLabels] = saved as [Tensor2D, Tensor1D?];
        const dx = savedLabels === undefined ? first : sub(softmax(first), oneHotRows(savedLabels, first));
        return mul(dx, expandDims(dy, 1)); // [M,L]
      },
    };
  });
  return op(logits) as Tensor1D;
}

/** The same in terms of tfjs's operations. */
function composedCrossEntropy(labels: Tensor1D, logits: Tensor2D): { value: Tensor1D; gradient: Tensor2D } {
  const p = softmax(logits); // [M,L]
  const target = oneHotRows(labels, logits); // [M,L]
  const logNormaliser = sub(max(logits, 1), log(max(p, 1))); // [M,L] -> [M]
  const value = sub(logNormaliser, sum(mul(target, logits), 1)) as Tensor1D; // [M]
  return { value, gradient: sub(p, target) };
}

/** 1 at the label of each row, 0 elsewhere: [M] -> [M,L]; oneHot's own float32 output is wrong on wasm */
const oneHotRows = (labels: Tensor1D, logits: Tensor2D) =>
  cast(oneHot(labels, logits.shape[1]), 'float32') as Tensor2D;
