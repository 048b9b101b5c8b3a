import { add, engine, log, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { registerOnWasm, wasmKernels } from './wasm-kernels';
import { address, filled } from './wasm-memory';

const KERNEL_NAME = 'PixelCNNCrossEntropy';

interface Inputs {
  labels: Tensor1D;
  logits: Tensor2D;
}

registerOnWasm<Inputs>(KERNEL_NAME, ({ crossEntropy }, { labels, logits }) => {
  const [rows, levels] = logits.shape;
  const rowBytes = 16 * Math.ceil(levels / 4);
  return filled([[rows, levels], [rows], [rows]], rowBytes, ([gradient = 0, sums = 0, below = 0], row) =>
    crossEntropy(gradient, sums, below, address(logits), address(labels), rows, levels, row),
  );
});

/**
 * -log softmax(logits)[label] [M], and its gradient softmax minus one-hot [M,L], by our own loop in one pass;
 * null where that cannot be had. labels [M] int32, logits [M,L] float32
 */
export function wasmCrossEntropy(
  labels: Tensor1D,
  logits: Tensor2D,
): { value: Tensor1D; gradient: Tensor2D } | null {
  if (wasmKernels() === null || labels.dtype !== 'int32' || logits.dtype !== 'float32') return null;
  const outputs = engine().runKernel(KERNEL_NAME, { labels, logits }) as unknown;
  const [gradient, sums, below] = outputs as [Tensor2D, Tensor1D, Tensor1D];
  return { value: add(log(sums), below), gradient };
}
