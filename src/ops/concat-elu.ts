import { concat, elu, exp, minimum, mul, neg, split, sub, type Tensor } from '@tensorflow/tfjs-core';
import { defineOperation, type Implementation } from './operation';
import { address, filled, wasmKernel } from './wasm-kernels';

interface Inputs {
  /** [..,F] */
  readonly x: Tensor;
}

/**
 * elu(x), then elu(-x), with a custom gradient.
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, and its code.
 *
 * @param x [..,F]
 * @returns [..,2F]
 */
export function concatElu(x: Tensor): Tensor {
  return operation({ x });
}

/** The gradient needs the input. */
const composed: Implementation<Inputs, void, Inputs, Tensor> = {
  forward: (inputs) => ({
    y: concat([elu(inputs.x), elu(neg(inputs.x))], -1), // [..,F] -> [..,2F]
    saved: inputs,
  }),
  gradients: (dy, { x }) => ({
    x() {
      const [first, second] = split(dy, 2, -1) as [Tensor, Tensor]; // [..,2F] -> two of [..,F]
      return sub(mul(first, slopes(x)), mul(second, slopes(neg(x)))); // [..,F]
    },
  }),
};

/** The slopes of elu, [..,F]. On wasm, the minimum keeps NaN in its first argument only. */
const slopes = (x: Tensor) => exp(minimum(x, 0));

/** Rows of features, and how many. */
function sizesOf({ shape, size }: Tensor): [rows: number, features: number] {
  const features = shape.at(-1) as number;
  return [size / features, features];
}

const wasmForward = wasmKernel<Inputs, void, Tensor>('PixelCNNConcatElu', (kernels, { x }) => {
  const [rows, features] = sizesOf(x);
  const [y] = filled([[...x.shape.slice(0, -1), 2 * features]], 0, ([y]) =>
    kernels.concatElu(y, address(x), rows, features),
  );
  return y;
});

const wasmGradient = wasmKernel<Inputs & { readonly dy: Tensor }, void, Tensor>(
  'PixelCNNConcatEluGradient',
  (kernels, { dy, x }) => {
    const [dx] = filled([x.shape], 0, ([dx]) =>
      kernels.concatEluBack(dx, address(dy), address(x), ...sizesOf(x)),
    );
    return dx;
  },
);

const operation = defineOperation<Inputs, void, Inputs, Tensor>({
  name: 'concatElu',
  composed,
  wasmImplementation: {
    supports: ({ x }) => x.dtype === 'float32',
    forward: (inputs) => ({ y: wasmForward(inputs), saved: inputs }),
    gradients: (dy, inputs) => ({ x: () => wasmGradient({ dy, ...inputs }) }),
  },
});
