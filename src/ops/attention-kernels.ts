import type * as tf from '@tensorflow/tfjs-core';
import { CAUSAL_ATTENTION, CAUSAL_ATTENTION_BACK } from '../kernels/modules';
import {
  type AttentionAttributes,
  type AttentionInputs,
  attentionOperation,
  composedAttention,
  type SavedAttention,
} from './attention';
import { addresses, outputs, wasmKernel } from './wasm-kernels';

const wasmForward = wasmKernel(
  'PixelCNNCausalAttention',
  [CAUSAL_ATTENTION],
  (loops, { queries, keys, values }: AttentionInputs, { heads }: AttentionAttributes) => {
    const sizes = sizesOf(queries, heads);
    const [n, places, , size] = sizes;
    const given = addresses(queries, keys, values);
    return outputs(
      [queries.shape, [n, heads, places]],
      (made, scratch) => loops.attention(...made, ...given, ...sizes, scratch),
      loops.attentionScratch(places, size),
    );
  },
);

/** All gradients at once: each needs the weights. */
const wasmGradients = wasmKernel(
  'PixelCNNCausalAttentionGradient',
  [CAUSAL_ATTENTION_BACK],
  (
    loops,
    { dy, queries, keys, values, y, logSums }: SavedAttention & { dy: tf.Tensor4D },
    { heads }: AttentionAttributes,
  ) => {
    const sizes = sizesOf(queries, heads);
    const [, places, , size] = sizes;
    const given = addresses(dy, queries, keys, values, y, logSums);
    return outputs(
      [queries.shape, queries.shape, queries.shape],
      (made, scratch) => loops.attentionBack(...made, ...given, ...sizes, scratch),
      loops.attentionBackScratch(places, size),
    );
  },
);

/** Images, places in each, heads, features of each, and the factor of scores. */
function sizesOf({ shape: [n, h, w, units] }: tf.Tensor4D, heads: number) {
  const size = units / heads;
  return [n, h * w, heads, size, 1 / Math.sqrt(size)] as const;
}

/** Brings the kernels along: to be called by the files of the layers that run the operation. */
export function provideAttentionKernels(): void {
  attentionOperation.useKernels({
    supports: ({ dropout }) => dropout === null,
    forward(inputs, attributes) {
      const [y, logSums] = wasmForward(inputs, attributes);
      return { y, saved: { ...inputs, y, logSums } };
    },
    gradients(dy, saved, attributes) {
      // Our own kernels have been switched on in the meantime.
      if (saved.logSums === undefined) return composedAttention.gradients(dy, saved, attributes);
      const [dq, dk, dv] = wasmGradients({ ...saved, dy }, attributes);
      return { queries: () => dq, keys: () => dk, values: () => dv };
    },
  });
}
