import {
  add,
  cast,
  expandDims,
  log,
  max,
  mul,
  oneHot,
  softmax,
  sub,
  sum,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { defineOperation, type Gradients, type Implementation } from './operation';
import { address, filled, wasmKernel } from './wasm-kernels';

interface Inputs {
  /** [M] levels 0..L-1, int32 */
  readonly labels: Tensor1D;
  /** [M,L] */
  readonly logits: Tensor2D;
}

interface Saved {
  /** Softmax minus one-hot [M,L]: computed with the value, since both take the same exponentials. */
  readonly slope: Tensor2D;
}

type CrossEntropy = Implementation<Inputs, void, Saved, Tensor1D>;

/**
 * -log softmax(logits)[label], in nats, one value for each row, with a custom gradient: softmax minus one-hot.
 *
 * @param labels [M] levels 0..L-1, int32
 * @param logits [M,L] finite
 * @returns [M]
 */
export function crossEntropy(labels: Tensor1D, logits: Tensor2D): Tensor1D {
  return operation({ labels, logits });
}

const gradients = (dy: Tensor1D, { slope }: Saved): Gradients<Inputs> => ({
  logits: () => mul(slope, expandDims(dy, 1)), // [M,L] [M,1] -> [M,L]
});

/**
 * The logarithm of the normaliser is taken at the most likely level, where the softmax cannot underflow: log
 * sum exp(x) = max(x) - log max(softmax(x)). That is exact for labels of any probability, and saves a pass of
 * exp.
 */
const composed: CrossEntropy = {
  forward({ labels, logits }) {
    const p = softmax(logits); // [M,L]
    const target = oneHotRows(labels, logits); // [M,L]
    const logNormaliser = sub(max(logits, 1), log(max(p, 1))); // [M,L] -> [M]
    const y: Tensor1D = sub(logNormaliser, sum(mul(target, logits), 1)); // [M]
    return { y, saved: { slope: sub(p, target) } };
  },
  gradients,
};

/** The value from two terms [M], and the slope [M,L], in one pass. */
const wasmForward = wasmKernel<Inputs, void, [slope: Tensor2D, sums: Tensor1D, below: Tensor1D]>(
  'PixelCNNCrossEntropy',
  (kernels, { labels, logits }) => {
    const [rows, levels] = logits.shape;
    const rowBytes = 16 * Math.ceil(levels / 4);
    return filled([[rows, levels], [rows], [rows]], rowBytes, ([slope, sums, below], row) =>
      kernels.crossEntropy(slope, sums, below, address(logits), address(labels), rows, levels, row),
    );
  },
);

const operation = defineOperation<Inputs, void, Saved, Tensor1D>({
  name: 'crossEntropy',
  composed,
  wasmImplementation: {
    supports: ({ labels, logits }) => labels.dtype === 'int32' && logits.dtype === 'float32',
    forward(inputs) {
      const [slope, sums, below] = wasmForward(inputs);
      return { y: add(log(sums), below), saved: { slope } }; // [M]
    },
    gradients,
  },
  differentiableGradients: (dy, { labels, logits }) =>
    gradients(dy, { slope: sub(softmax(logits), oneHotRows(labels, logits)) }),
  constants: ['labels'],
});

/** 1 at the label of each row, 0 elsewhere: [M] -> [M,L]; oneHot's own float32 output is wrong on wasm */
function oneHotRows(labels: Tensor1D, logits: Tensor2D): Tensor2D {
  return cast(oneHot(labels, logits.shape[1]), 'float32') as Tensor2D;
}
