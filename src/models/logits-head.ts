import type { layers } from '@tensorflow/tfjs-layers';
import { maskedConv2d } from '../layers/masked-conv-2d';
import { pixelLogits } from '../layers/pixel-logits';

/** Sizes of {@link logitsHead}. */
export interface LogitsHeadArgs {
  /** outDim * C. */
  filters: number;
  /** C. */
  imageChannels: number;
  /** L. */
  levels: number;
}

/**
 * The layers from features that have passed a ReLU to logits: [N,H,W,F] -> [N,H,W,C,L], of 1x1 convolutions
 * with mask B.
 */
export function logitsHead({ filters, imageChannels, levels }: LogitsHeadArgs): layers.Layer[] {
  const conv = { kernelSize: 1, imageChannels };
  return [
    maskedConv2d({ ...conv, name: 'output_conv1', filters, activation: 'relu' }), // [N,H,W,F] -> [N,H,W,outDim*C]
    maskedConv2d({ ...conv, name: 'output_conv2', filters }), // [N,H,W,outDim*C] -> [N,H,W,outDim*C]
    maskedConv2d({ ...conv, name: 'final_conv', filters: levels * imageChannels }), // [N,H,W,outDim*C] -> [N,H,W,C*L]
    pixelLogits({ name: 'logits', imageChannels, levels }), // [N,H,W,C*L] -> [N,H,W,C,L]
  ];
}
