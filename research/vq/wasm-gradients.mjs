import * as tf from '@tensorflow/tfjs-core';

/**
 * Lets tfjs convolutions of any stride, padding 'same' or 'valid', train on the wasm backend. There, tfjs 4.22 lacks
 * the gradient of kernels, and has a slow gradient of inputs, which is also the transposed convolution. Both are
 * computed here by fast forward convolutions. Networks of pixelcnn-layers do not need this.
 */
export function useWasmGradients() {
  const register = (kernelName, kernelFunc) =>
    tf.registerKernel({
      kernelName,
      backendName: 'wasm',
      kernelFunc: (args) => tf.tidy(() => kernelFunc(args)),
    });
  tf.unregisterKernel('Conv2DBackpropInput', 'wasm');
  register('Conv2DBackpropInput', inputGradient);
  register('Conv2DBackpropFilter', kernelGradient);
}

/**
 * [N,H,W,in], [N,h,w,out] -> [rows,columns,in,out]: the images, with the batch as features, convolved with dy as a kernel whose taps lie
 * a stride apart.
 */
function kernelGradient({ inputs: { x, dy }, attrs: { strides, pad, filterShape } }) {
  const [rows, columns] = filterShape;
  const { padInfo } = tf.backend_util.computeConv2DInfo(x.shape, filterShape, strides, 1, pad);
  const { top, bottom, left, right } = padInfo;
  const images = tf.transpose(x, [3, 1, 2, 0]); // [in,H,W,N]
  const kernels = tf.transpose(dy, [1, 2, 0, 3]); // [h,w,N,out]
  const pads = [[0, 0], [top, bottom], [left, right], [0, 0]]; // biome-ignore format: one pair a dimension
  const sums = tf.conv2d(images, kernels, 1, pads, 'NHWC', strides); // [in,rows,columns,out], more rows where a stride leaves some out
  return tf.transpose(tf.slice(sums, [0, 0, 0, 0], [-1, rows, columns, -1]), [1, 2, 0, 3]); // [rows,columns,in,out]
}

/** [N,h,w,out] -> [N,H,W,in]: dy, with zeros between by the stride, convolved with the flipped kernel. */
function inputGradient({ inputs: { dy, filter }, attrs: { strides, pad, inputShape } }) {
  const info = tf.backend_util.computeConv2DInfo(inputShape, filter.shape, strides, 1, pad);
  const { strideHeight: down, strideWidth: across, inHeight, inWidth, padInfo } = info;
  const [n, h, w, features] = dy.shape;
  const flat = tf.reshape(dy, [n * h, 1, w, features]); // [N*h,1,w,out]
  const zeros = [[0, 0], [0, down - 1], [0, 0], [0, (across - 1) * features]]; // biome-ignore format: one pair a dimension
  const apart = tf.reshape(tf.pad(flat, zeros), [n, h * down, w * across, features]); // [N,h*down,w*across,out]
  const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]); // [rows,columns,out,in]
  const around = (kernelSize, before, length, spread) => [
    kernelSize - 1 - before,
    Math.max(0, length + before - spread),
  ];
  const [rows, columns] = filter.shape;
  const vertical = around(rows, padInfo.top, inHeight, h * down);
  const horizontal = around(columns, padInfo.left, inWidth, w * across);
  const dx = tf.conv2d(apart, turned, 1, [[0, 0], vertical, horizontal, [0, 0]]); // [N,H,W,in], or a little more
  return tf.slice(dx, [0, 0, 0, 0], inputShape);
}
