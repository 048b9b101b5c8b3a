import {
  div,
  fill,
  matMul,
  maximum,
  mul,
  reshape,
  sqrt,
  square,
  step,
  sub,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import { SMALLEST_SQUARE } from '../program/weights';
import { defineOperation, type Implementation } from './operation';
import { address, filled, wasmKernel } from './wasm-kernels';

interface Inputs {
  /** [rows,columns,in,out] */
  readonly direction: Tensor4D;
  /** [out] */
  readonly gain: Tensor1D;
}

/**
 * Weight normalization: gain direction / ||direction|| for each output, with a custom gradient.
 *
 * Source: Salimans, Kingma, "Weight normalization" (2016), https://arxiv.org/abs/1602.07868, equations 2 and 3.
 *
 * @param direction [rows,columns,in,out], already masked
 * @param gain [out]
 * @returns [rows,columns,in,out]
 */
export function normalizedKernel(direction: Tensor4D, gain: Tensor1D): Tensor4D {
  return operation({ direction, gain });
}

/** Its gradients need its inputs. */
const composed: Implementation<Inputs, void, Inputs, Tensor4D> = {
  forward(inputs) {
    const { direction, gain } = inputs;
    const v = flat(direction); // [M,out]
    const factors = div(gain, norms(sumOfRows(square(v)))); // [1,out]
    return { y: reshape(mul(v, factors), direction.shape), saved: inputs };
  },
  gradients(dy, { direction, gain }) {
    const [d, v] = [flat(dy), flat(direction)]; // [M,out]
    const squares = sumOfRows(square(v)); // [1,out]
    const [norm, along] = [norms(squares), sumOfRows(mul(d, v))]; // [1,out]
    return {
      direction() {
        const isFree = step(sub(squares, SMALLEST_SQUARE)); // 0 where the norm is the smallest, and no function of v
        const across = sub(d, mul(v, mul(isFree, div(along, square(norm))))); // [M,out]
        return reshape(mul(across, div(gain, norm)), direction.shape);
      },
      gain: () => reshape(div(along, norm), gain.shape), // [1,out] -> [out]
    };
  },
};

/** [rows,columns,in,out] -> [M,out] */
function flat(kernel: Tensor4D): Tensor2D {
  const featuresOut = kernel.shape[3];
  return reshape(kernel, [kernel.size / featuresOut, featuresOut]);
}

/** [M,out] -> [1,out], by a product, which is faster than `sum` on wasm. */
const sumOfRows = (rows: Tensor2D): Tensor2D => matMul(fill([1, rows.shape[0]], 1), rows);

/** Norms [1,out] from their squares. On wasm, the maximum keeps NaN in its first argument only. */
const norms = (squares: Tensor2D): Tensor2D => sqrt(maximum<Tensor2D>(squares, SMALLEST_SQUARE));

/** Weights of each output, and outputs. */
const sizesOf = ({ size, shape: [, , , featuresOut] }: Tensor4D) =>
  [size / featuresOut, featuresOut] as const;

const wasmForward = wasmKernel<Inputs, void, Tensor4D>(
  'PixelCNNNormalizedKernel',
  (kernels, { direction, gain }) => {
    const [y] = filled([direction.shape], 0, ([y]) =>
      kernels.normalizedKernel(y, address(direction), address(gain), ...sizesOf(direction), SMALLEST_SQUARE),
    );
    return y;
  },
);

/** Both gradients at once: they share their sums. */
const wasmGradients = wasmKernel<
  Inputs & { readonly dy: Tensor4D },
  void,
  [ddirection: Tensor4D, dgain: Tensor1D]
>('PixelCNNNormalizedKernelGradient', (kernels, { dy, direction, gain }) => {
  const inputs = [address(dy), address(direction), address(gain)] as const;
  return filled([direction.shape, gain.shape], 0, ([ddirection, dgain]) =>
    kernels.normalizedKernelBack(ddirection, dgain, ...inputs, ...sizesOf(direction), SMALLEST_SQUARE),
  );
});

const operation = defineOperation<Inputs, void, Inputs, Tensor4D>({
  name: 'normalizedKernel',
  composed,
  wasmImplementation: {
    supports: ({ direction, gain }) => direction.dtype === 'float32' && gain.dtype === 'float32',
    forward: (inputs) => ({ y: wasmForward(inputs), saved: inputs }),
    gradients(dy, inputs) {
      const [ddirection, dgain] = wasmGradients({ dy, ...inputs });
      return { direction: () => ddirection, gain: () => dgain };
    },
  },
});
