import type { Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import type { MaskArgs } from '../mask';
import { causalConv2d } from '../ops/causal-conv';
import type { Features, Program } from '../program/program';
import { CausalMask } from './causal-mask';

/**
 * A masked convolution as part of a layer, which owns its weights: tfjs does not track layers within a layer.
 */
export class MaskedConv {
  private readonly mask: CausalMask;

  constructor(
    /** [kernel rows, kernel columns, in, out], whole. */
    private readonly kernel: LayerVariable,
    /** [out] */
    private readonly bias: LayerVariable | undefined,
    private readonly args: MaskArgs,
  ) {
    this.mask = new CausalMask(args);
  }

  /** [N,H,W,in] -> [N,H,W,out]. To be called within a tidy. */
  apply(x: Tensor4D, activation: 'linear' | 'relu' = 'linear'): Tensor4D {
    const kernel = this.mask.apply(this.kernel.read() as Tensor4D);
    const bias = this.bias === undefined ? null : (this.bias.read() as Tensor1D);
    return causalConv2d(x, kernel, bias, activation, this.mask.presentColumns);
  }

  /** Built of a program's operations, for incremental sampling. */
  incremental(program: Program, x: Features): Features {
    const { maskType = 'B', imageChannels = 3, vertical = false } = this.args;
    const weights = { kernel: this.kernel.read(), bias: this.bias?.read() };
    return program.conv(x, { ...weights, maskType, imageChannels, vertical });
  }

  dispose(): void {
    this.mask.dispose();
  }
}
