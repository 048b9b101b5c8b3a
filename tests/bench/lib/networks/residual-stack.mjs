import * as tfl from '@tensorflow/tfjs-layers';

/** The features of PixelCNN before its head. apply(x, arguments, mask) convolves. */
export function residualStack(image, { hiddenDim, numBlocks, firstKernelSize }, apply) {
  const h = hiddenDim * image.shape[3];
  const relu = { activation: 'relu' };
  let x = apply(image, { filters: 2 * h, kernelSize: firstKernelSize }, { maskType: 'A' }); // [N,H,W,2h]
  for (let block = 0; block < numBlocks; block++) {
    let y = apply(x, { ...relu, filters: h });
    y = apply(y, { ...relu, filters: h, kernelSize: 3 });
    y = apply(y, { ...relu, filters: 2 * h });
    x = tfl.layers.add().apply([x, y]);
  }
  return x;
}
