import type * as tf from '@tensorflow/tfjs-core';
import { LSTM, LSTM_BACK, LSTM_KERNEL_BACK } from '../kernels/modules';
import type { LSTMPath } from '../program/program';
import { type LSTMAttributes, type LSTMInputs, lstmOperation, type SavedLSTM } from './pixel-lstm';
import { addresses, output, outputs, wasmKernel } from './wasm-kernels';

const wasmForward = wasmKernel(
  'PixelCNNLSTM',
  [LSTM],
  (loops, { z, kernel }: LSTMInputs, attributes: LSTMAttributes) => {
    const [n, h, w] = z.shape;
    const sizes = sizesOf(z, kernel, attributes);
    const ofStates = [n, h, w, kernel.shape[2]] as const;
    return outputs(
      [ofStates, z.shape, ofStates],
      (made, scratch) => loops.lstm(...made, ...addresses(z, kernel), ...sizes, scratch),
      loops.lstmScratch(...lineSizesOf(sizes)),
    );
  },
);

const wasmInputGradient = wasmKernel(
  'PixelCNNLSTMInputGradient',
  [LSTM_BACK],
  (
    loops,
    { dy, kernel, gates, cells }: SavedLSTM & { readonly dy: tf.Tensor4D },
    attributes: LSTMAttributes,
  ) => {
    const sizes = sizesOf(gates, kernel, attributes);
    const given = addresses(dy, gates, cells, kernel);
    return output(
      gates.shape,
      (dz, scratch) => loops.lstmBack(dz, ...given, ...sizes, scratch),
      loops.lstmBackScratch(...lineSizesOf(sizes)),
    );
  },
);

const wasmKernelGradient = wasmKernel(
  'PixelCNNLSTMKernelGradient',
  [LSTM_KERNEL_BACK],
  (loops, { dz, kernel, states }: SavedLSTM & { readonly dz: tf.Tensor4D }, attributes: LSTMAttributes) => {
    const sizes = sizesOf(dz, kernel, attributes);
    return output(
      kernel.shape,
      (dkernel, scratch) => loops.lstmKernelBack(dkernel, ...addresses(states, dz), ...sizes, scratch),
      loops.lstmKernelBackScratch(...lineSizesOf(sizes)),
    );
  },
);

const pathNumbers: Readonly<Record<LSTMPath, number>> = { rows: 0, fromLeft: 1, fromRight: 2 };

function sizesOf(
  { shape: [n, h, w] }: tf.Tensor4D,
  { shape: [rows, columns, features] }: tf.Tensor4D,
  { imageChannels, path }: LSTMAttributes,
) {
  return [n, h, w, imageChannels, features / imageChannels, rows * columns, pathNumbers[path]] as const;
}

/** Places of a line, features and taps. */
function lineSizesOf([, h, w, groups, size, columns, path]: ReturnType<typeof sizesOf>) {
  return [path === pathNumbers.rows ? w : h, groups * size, columns] as const;
}

/** Brings the kernels along: to be called by the files of the layers that run the operation. */
export function provideLSTMKernels(): void {
  lstmOperation.useKernels({
    forward(inputs, attributes) {
      const [states, gates, cells] = wasmForward(inputs, attributes);
      return { y: states, saved: { kernel: inputs.kernel, states, gates, cells } };
    },
    gradients(dy, saved, attributes) {
      const dz = wasmInputGradient({ ...saved, dy }, attributes);
      return { z: () => dz, kernel: () => wasmKernelGradient({ ...saved, dz }, attributes) };
    },
  });
}
