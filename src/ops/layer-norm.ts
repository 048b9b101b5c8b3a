import {
  add,
  fill,
  matMul,
  mul,
  reshape,
  rsqrt,
  square,
  sub,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import { sumOverPixels } from './composed-conv';
import { defineOperation, type Implementation } from './operation';
import { address, filled, wasmKernel } from './wasm-kernels';

interface Inputs {
  /** [N,H,W,F] */
  readonly x: Tensor4D;
  /** [F] */
  readonly scale: Tensor1D | undefined;
  /** [F] */
  readonly shift: Tensor1D | undefined;
}

type Attributes = { readonly groups: number; readonly epsilon: number };

/** Its gradients need its inputs. */
type LayerNorm = Implementation<Inputs, Attributes, Inputs, Tensor4D>;

/**
 * (x - mean) / sqrt(variance + epsilon) over each group of a pixel's features, then scale and shift, with a custom
 * gradient, since that of tfjs loops over all pixels.
 *
 * Source: Ba et al., "Layer Normalization" (2016), https://arxiv.org/abs/1607.06450, equations 3 and 4.
 *
 * @param inputs x [N,H,W,F], where `groups` divides F; scale and shift [F], or undefined
 * @returns [N,H,W,F]
 */
export function layerNorm(inputs: Inputs, attributes: Attributes): Tensor4D {
  return operation(inputs, attributes);
}

const composed: LayerNorm = {
  forward(inputs, attributes) {
    const { x, scale, shift } = inputs;
    const normal: Tensor4D = reshape(normalized(x, attributes).normal, x.shape); // [N*H*W*C, G] -> [N,H,W,F]
    const scaled = scale === undefined ? normal : mul<Tensor4D>(normal, scale);
    const y = shift === undefined ? scaled : add<Tensor4D>(scaled, shift);
    return { y, saved: inputs };
  },
  gradients(dy, { x, scale }, attributes) {
    const { normal, factor } = normalized(x, attributes); // [N*H*W*C, G]
    const scaled = scale === undefined ? dy : mul(dy, scale);
    return {
      x() {
        const slope: Tensor2D = reshape(scaled, normal.shape); // [N,H,W,F] -> [N*H*W*C, G]
        const along = mul(normal, spread(means(mul(slope, normal)), normal));
        const rest = sub(sub(slope, spread(means(slope), normal)), along);
        return reshape(mul(factor, rest), x.shape); // [N*H*W*C, G] -> [N,H,W,F]
      },
      scale: () => sumOverPixels(mul(dy, reshape(normal, x.shape))), // [N,H,W,F] -> [F]
      shift: () => sumOverPixels(dy),
    };
  },
};

/**
 * (x - mean) / sqrt(variance + epsilon) of each group, and the factor 1 / sqrt(variance + epsilon): [N,H,W,F]
 * -> [N*H*W*C, G] each, where C is the groups and G = F/C.
 */
function normalized(x: Tensor4D, { groups, epsilon }: Attributes) {
  const size = x.shape[3] / groups;
  const rows: Tensor2D = reshape(x, [x.size / size, size]); // [N,H,W,F] -> [N*H*W*C, G]
  const centered = sub<Tensor2D>(rows, spread(means(rows), rows));
  const factor = spread(rsqrt(add<Tensor2D>(means(square(centered)), epsilon)), rows);
  return { normal: mul<Tensor2D>(centered, factor), factor };
}

// By products, since tfjs's reductions are slow on wasm, and its broadcasting is on cpu.

/** Of each row: [M,G] -> [M,1]. */
const means = (rows: Tensor2D): Tensor2D => matMul(rows, fill([rows.shape[1], 1], 1 / rows.shape[1]));

/** Each number at all places of its row: [M,1] -> [M,G], as `rows`. */
const spread = (numbers: Tensor2D, rows: Tensor2D): Tensor2D => matMul(numbers, fill([1, rows.shape[1]], 1));

const wasmForward = wasmKernel<Inputs, Attributes, Tensor4D>(
  'PixelCNNLayerNorm',
  (kernels, { x, scale, shift }, attributes) => {
    const [y] = filled([x.shape], 0, ([y]) =>
      kernels.layerNorm(y, address(x), address(scale), address(shift), ...sizesOf(x, attributes)),
    );
    return y;
  },
);

/** All gradients in one pass. */
const wasmGradients = wasmKernel<
  Inputs & { readonly dy: Tensor4D },
  Attributes,
  [dx: Tensor4D, dscale: Tensor1D, dshift: Tensor1D]
>('PixelCNNLayerNormGradient', (kernels, { dy, x, scale }, attributes) => {
  const features = x.shape[3];
  return filled(
    [x.shape, [features], [features]],
    8 * features,
    ([dx, dscale, dshift], sums) =>
    kernels.layerNormBack(dx, dscale, dshift, address(dy), address(x), address(scale), ...sizesOf(x, attributes), sums), // biome-ignore format: one call
  );
});

/** Images, pixels in each, groups of features, features in each, and what is added to variances. */
function sizesOf({ shape: [n, h, w, features] }: Tensor4D, { groups, epsilon }: Attributes) {
  return [n, h * w, groups, features / groups, epsilon] as const;
}

const operation = defineOperation<Inputs, Attributes, Inputs, Tensor4D>({
  name: 'layerNorm',
  composed,
  wasmImplementation: {
    supports: ({ x, scale = x, shift = x }) => [x, scale, shift].every(({ dtype }) => dtype === 'float32'),
    forward: (inputs, attributes) => ({ y: wasmForward(inputs, attributes), saved: inputs }),
    gradients(dy, inputs, attributes) {
      const [dx, dscale, dshift] = wasmGradients({ dy, ...inputs }, attributes);
      return { x: () => dx, scale: () => dscale, shift: () => dshift };
    },
  },
});
