import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { maskedConv2d } from '../../src/layers/causal-conv-2d';
import { OneHotClass, type OneHotClassArgs, oneHotClass } from '../../src/layers/encodings';
import { PixelCNNResBlock, type PixelCNNResBlockArgs } from '../../src/layers/pixel-cnn-res-block';
import { pixelCNN } from '../../src/models/pixel-cnn';
import { onBackend } from '../support/backends';
import { saveAndLoad } from '../support/models/memory-file';
import { scoped } from '../support/scoped';

interface ScaledArgs extends PixelCNNResBlockArgs {
  factor: number;
}

/** A user's block: one of ours with an argument of its own, which it hands to `super` with the others. */
class ScaledBlock extends PixelCNNResBlock {
  static override className = 'TestScaledBlock';
  readonly factor: number;

  constructor(args: ScaledArgs) {
    super(args);
    this.factor = args.factor;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), factor: this.factor };
  }
}
tf.serialization.registerClass(ScaledBlock);

onBackend('cpu', 'the names of a layer’s arguments', () => {
  const network = { imageShape: [4, 4, 1] as [number, number, number], levels: 4, hiddenDim: 2, outDim: 2 };

  it('are those of all tfjs layers too', () => {
    const shapes = { inputShape: [1], batchInputShape: [2, 1], batchSize: 2 };
    const all = { name: 'classes', trainable: false, weights: [], ...shapes, dtype: 'int32', inputDType: 'int32' } as const;
    const layer = oneHotClass({ ...all, numClasses: 3 } as unknown as OneHotClassArgs);
    expect([layer.name, layer.trainable, layer.batchInputShape]).toEqual(['classes', false, [2, 1]]);
    expect(OneHotClass.fromConfig(OneHotClass, layer.getConfig()).getConfig()).toEqual(layer.getConfig());
  });

  it('are listed if none is near', () => {
    const convolve = () => maskedConv2d({ filters: 3, kernelSize: 3, padding: 'same' } as never);
    expect(convolve).toThrow(
      "MaskedConv2D: unknown option 'padding': wanted one of kernelSize, maskType, imageChannels, vertical, dilationRate, groups, filters, ",
    );
    expect(() => oneHotClass(null as never)).toThrow('OneHotClass: wanted an object of arguments, got null');
  });

  it('may be more in a class that extends the layer', async () => {
    const model = scoped(pixelCNN({ ...network, numBlocks: 1, block: (args) => new ScaledBlock({ ...args, factor: 3 }) }));
    const loaded = scoped(await saveAndLoad(model));
    const block = loaded.layers.find((layer) => layer instanceof ScaledBlock);
    expect(block?.factor).toBe(3);
    expect(() => new ScaledBlock(null as never)).toThrow('TestScaledBlock: wanted an object of arguments');
  });
});
