import { pad, reshape, slice, type Tensor3D, type Tensor4D, transpose } from '@tensorflow/tfjs-core';
import type { LSTMPath } from '../program/ops';
import { lineLSTM } from './lstm';

/**
 * The LSTM of PixelRNN over the pixels of images, from what comes of the input, z: its state goes down the rows, or along
 * diagonals from the left or the right. See `Ops.lstm`.
 *
 * @param z [N,H,W,4F]
 * @param kernel [1,k,F,4F], k odd, for 'rows'; else [2,1,F,4F], of the pixel above and the one beside
 * @returns h [N,H,W,F]
 */
export function pixelLSTM(z: Tensor4D, kernel: Tensor4D, path: LSTMPath, imageChannels: number): Tensor4D {
  if (path === 'rows')
    return lineLSTM(z, kernel, { imageChannels, left: kernel.shape[1] >> 1, fromEnd: false });
  const isRight = path === 'fromRight';
  const taps: Tensor4D = reshape(kernel, [1, 2, kernel.shape[2], kernel.shape[3]]); // [2,1,F,4F] -> [1,2,F,4F]
  const lines = skewed(z, isRight); // [N,H,W,4F] -> [N,H+W-1,H,4F]
  const states = lineLSTM(lines, taps, { imageChannels, left: 1, fromEnd: isRight }); // [N,H+W-1,H,F]
  return straightened(states, isRight, z.shape[2]); // [N,H,W,F]
}

/**
 * Diagonals of images as lines, place i of each in row i: [N,H,W,F] -> [N,H+W-1,H,F]. Line d has column d - i of row i, or
 * from the right column d - (H-1-i), and zeros where there is none. So the pixel above is place i - 1 of the line before,
 * the one to the left place i; from the right they are those of the line after.
 *
 * All of it are pads and slices: row i begins i places later than the one before if rows are read as one place longer, or
 * one shorter.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), section 3.2 and figure 3.
 */
function skewed(x: Tensor4D, isRight: boolean): Tensor4D {
  const [n, h, w, features] = x.shape;
  const lines = h + w - 1;
  if (h === 1) return reshape(x, [n, lines, 1, features]); // [N,1,W,F] -> [N,W,1,F]
  const width = isRight ? lines - 1 : lines + 1;
  const wide = pad(x, [[0, 0], [0, 0], [0, width - w], [0, 0]]); // biome-ignore format: [N,H,width,F], one pair a dimension
  const flat = reshape(wide, [n, h * width, features]) as Tensor3D;
  const shifted = isRight
    ? pad(flat, [[0, 0], [h - 1, 1], [0, 0]]) // biome-ignore format: [N,H*(H+W-1),F], one pair a dimension
    : slice(flat, 0, [n, h * lines, features]); // [N,H*(H+W),F] -> [N,H*(H+W-1),F]
  return transpose(reshape(shifted, [n, h, lines, features]), [0, 2, 1, 3]); // [N,H,H+W-1,F] -> [N,H+W-1,H,F]
}

/** The other way: [N,H+W-1,H,F] -> [N,H,W,F]. */
function straightened(x: Tensor4D, isRight: boolean, w: number): Tensor4D {
  const [n, lines, h, features] = x.shape;
  if (h === 1) return reshape(x, [n, 1, w, features]); // [N,W,1,F] -> [N,1,W,F]
  const width = isRight ? lines - 1 : lines + 1;
  const flat = reshape(transpose(x, [0, 2, 1, 3]), [n, h * lines, features]) as Tensor3D; // [N,H+W-1,H,F] -> [N,H*(H+W-1),F]
  const shifted = isRight
    ? slice(flat, [0, h - 1, 0], [n, h * width, features]) // [N,H*(H+W-2),F]
    : pad(flat, [[0, 0], [0, h], [0, 0]]); // biome-ignore format: [N,H*(H+W),F], one pair a dimension
  const wide: Tensor4D = reshape(shifted, [n, h, width, features]);
  return slice(wide, 0, [n, h, w, features]); // [N,H,W,F]
}
