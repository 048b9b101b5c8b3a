import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  autoregressiveModel,
  gatedPixelCNN,
  gaussian,
  logisticMixture,
  maskedConv2d,
  oneHotClass,
  pixelCNN,
  pixelLogits,
  pixelSNAIL,
  receptiveField,
  sample,
} from 'pixelcnn-layers';
import { expect, it, vi } from 'vitest';
import { isGpu, onEachBackend } from '../support/backends';
import { apply, modelOf, through } from '../support/models/graphs';
import { Opaque } from '../support/models/opaque';
import { scoped } from '../support/scoped';
import { expectNoLeaks } from '../support/tensors';
import { expectWarning } from '../support/warnings';

onEachBackend('receptiveField', (backend) => {
  const blocks = isGpu(backend) ? [1] : [1, 2, 5];
  it.each(blocks)('finds the blind spot of the blog: a triangle of n (n + 1) / 2 pixels, %i blocks', async (n) => {
    const radius = 3 + n; // of a first kernel of 7 and n kernels of 3
    const [height, width] = [radius + 2, 2 * radius + 3]; // one ring more than the window
    const imageShape: [number, number, number] = [height, width, 1];
    const model = scoped(pixelCNN({ imageShape, levels: 2, hiddenDim: 4, outDim: 4, numBlocks: n }));
    const { seen, blindSpot, window } = await receptiveField(model, { row: radius + 1, column: radius + 1 });
    expect(window).toEqual({ top: 1, left: 1, right: 2 * radius + 1 });
    const triangle = [];
    for (let above = n; above >= 1; above--)
      for (let k = n - above; k >= 0; k--) triangle.push([radius + 1 - above, 2 * radius + 1 - k, 0]);
    expect(blindSpot).toEqual(triangle);
    expect(blindSpot).toHaveLength((n * (n + 1)) / 2);
    const earlier = radius * (2 * radius + 1) + radius; // pixels of the window before this one
    expect(seen).toHaveLength(earlier - blindSpot.length);
  });

  it.each(isGpu(backend) ? [2] : [0, 6])('finds none in a gated network, however deep: %i blocks', async (numBlocks) => {
    const radius = 3 + numBlocks;
    const imageShape: [number, number, number] = [radius + 2, 2 * radius + 3, 1];
    const model = scoped(gatedPixelCNN({ imageShape, levels: 2, hiddenDim: 2, outDim: 2, numBlocks }));
    const { seen, blindSpot, window } = await receptiveField(model, { row: radius + 1, column: radius + 1 });
    expect(window).toEqual({ top: 1, left: 1, right: 2 * radius + 1 });
    expect(blindSpot).toEqual([]);
    expect(seen).toHaveLength(radius * (2 * radius + 1) + radius);
  });

  it('of a model that is not causal follows from its graph too, without a warning', async () => {
    const conv = maskedConv2d({ filters: 2, kernelSize: [1, 3], maskType: 'B', imageChannels: 1 });
    const model = scoped(modelOf([1, 4, 1], 2, (image) => apply(conv, image)));
    vi.spyOn(console, 'warn');
    const { seen } = await receptiveField(model, { row: 0, column: 2 });
    expect(console.warn).not.toHaveBeenCalled();
    expect(seen).toEqual([[0, 1, 0]]);
    vi.restoreAllMocks();
  });

  it('tries a model of which a layer cannot be evaluated pixel by pixel', async () => {
    // one row, a first kernel of 1x3 and one of 1x3: the two values before
    const conv = (maskType: 'A' | 'B') => maskedConv2d({ filters: 2, kernelSize: [1, 3], maskType, imageChannels: 1 });
    const sloped = tfl.layers.prelu({ alphaInitializer: 'ones', name: 'sloped' }); // a slope for each place
    const model = scoped(modelOf([1, 6, 1], 2, (image) => through(image, conv('A'), sloped, conv('B'))));
    const message =
      "receptiveField: layer 'sloped' (PReLU) cannot be evaluated pixel by pixel: alpha: wanted one that all places share " +
      '(sharedAxes: [1, 2]), got [1, 6, 2]. So 32 random images are tried, '; // 4 values, 4 changes, before and after
    const field = await expectWarning(message, async () => {
      expect((await receptiveField(model, { row: 0, column: 0 })).seen).toEqual([]); // there is nothing to try
      expect(console.warn).not.toHaveBeenCalled();
      await receptiveField(model, { row: 0, column: 4 });
      return receptiveField(model, { row: 0, column: 4 });
    });
    await expectWarning('sample: ', async () => (await sample(model)).dispose()); // each function for itself
    const seen = [[0, 2, 0], [0, 3, 0]]; // biome-ignore format: rows
    expect(field).toEqual({ seen, blindSpot: [], window: { top: 0, left: 2, right: 4 } });
  });

  it('includes the inputs of the parameters of earlier channels if channels share a mixture', async () => {
    // Of one component: logit, mean and log scale of the first channel see the pixel to the left; mean, log scale and
    // coefficient of the second see none. The second depends on the first ones by what they say of the component.
    const image = tfl.input({ shape: [1, 2, 2] });
    const conv = (kernelSize: [number, number]) => maskedConv2d({ filters: 3, kernelSize, maskType: 'A', imageChannels: 1 }).apply(image);
    const parameters = tfl.layers.concatenate().apply([conv([1, 3]), conv([1, 1])] as tfl.SymbolicTensor[]);
    const mixture = logisticMixture({ imageChannels: 2, levels: 3, components: 1 });
    const outputs = mixture.apply(parameters) as tfl.SymbolicTensor;
    const model = scoped(autoregressiveModel({ inputs: image, outputs }));
    const { seen } = await receptiveField(model, { row: 0, column: 1, channel: 1 });
    expect(seen).toEqual([[0, 0, 0], [0, 0, 1], [0, 1, 0]]); // biome-ignore format: rows

    const alone = gaussian({ imageChannels: 2, levels: 3 }).apply(
      maskedConv2d({ filters: 4, kernelSize: 3, maskType: 'A', imageChannels: 1 }).apply(image),
    );
    const gaussians = scoped(autoregressiveModel({ inputs: image, outputs: alone as tfl.SymbolicTensor }));
    const field = await receptiveField(gaussians, { row: 0, column: 1, channel: 1 });
    expect(field.seen).toEqual([
      [0, 0, 0],
      [0, 0, 1],
    ]); // not the first channel of its own pixel
  });

  it('sees as much of categories as of intensities, tried or read off the graph', async () => {
    const sizes = { levels: 3, hiddenDim: 3, outDim: 3, numBlocks: 1, firstKernelSize: 3 };
    const network = { ...sizes, imageShape: [3, 4, 2] as [number, number, number] };
    const place = { row: 2, column: 1, channel: 1 };
    const scaled = scoped(pixelCNN(network));
    const expected = await receptiveField(scaled, place);
    for (const input of ['oneHot', { embedding: 3 }] as const) {
      const model = scoped(pixelCNN({ ...network, input, seed: 1 }));
      expect(await receptiveField(model, place)).toEqual(expected);
      const doubled = new Opaque({}).apply(model.outputs[0] as tfl.SymbolicTensor);
      const tried = autoregressiveModel({ inputs: model.inputs[0] as tfl.SymbolicTensor, outputs: doubled });
      const field = await expectWarning('receptiveField: layer', () => receptiveField(tried, place));
      expect(field).toEqual(expected);
    }
  });

  it('distinguishes channels of one pixel', async () => {
    const conv = maskedConv2d({ filters: 6, kernelSize: 1, maskType: 'A', imageChannels: 3 });
    const model = scoped(modelOf([1, 2, 3], 2, (image) => apply(conv, image)));
    const { seen } = await receptiveField(model, { row: 0, column: 1, channel: 2 });
    expect(seen).toEqual([[0, 1, 0], [0, 1, 1]]); // biome-ignore format: rows
    expect((await receptiveField(model, { row: 0, column: 0 })).seen).toEqual([]);
  });

  it('answers for large images with attention, which sees all of them', async () => {
    const sizes = { filters: 128, heads: 2, numBlocks: 1, numResBlocks: 1, resFilters: 64 };
    const model = scoped(pixelSNAIL({ imageShape: [256, 256, 3], levels: 2, ...sizes, input: 'scaled' }));
    const { seen, blindSpot, window } = await receptiveField(model, { row: 255, column: 255, channel: 0 });
    expect(seen).toHaveLength(3 * (256 * 256 - 1));
    expect(blindSpot).toEqual([]);
    expect(window).toEqual({ top: 0, left: 0, right: 255 });
  });

  it('leaks no tensor, and names invalid arguments', async () => {
    const model = scoped(pixelCNN({ imageShape: [2, 3, 1], levels: 2, hiddenDim: 1, outDim: 1, numBlocks: 0 }));
    await expectNoLeaks(async () => {
      await receptiveField(model, { row: 1, column: 1 });
      await expect(receptiveField(model, { row: 2, column: 0 })).rejects.toThrow(
        'receptiveField: row: wanted an integer from 0 to 1, got 2',
      );
      await expect(receptiveField(model, { row: 0, column: 0, channel: 1 })).rejects.toThrow('channel');
      await expect(receptiveField(model, { row: 0, column: 0, batchSize: 0 })).rejects.toThrow('batchSize');
    });
  });

  it('of a tested model reports progress, and stops if the signal aborts or onProgress fails', async () => {
    const network = { imageShape: [2, 4, 1] as [number, number, number], levels: 2, hiddenDim: 1, outDim: 1 };
    const model = scoped(pixelCNN({ ...network, numBlocks: 0 }));
    const doubled = new Opaque({}).apply(model.outputs[0] as tfl.SymbolicTensor);
    const tried = autoregressiveModel({ inputs: model.inputs[0] as tfl.SymbolicTensor, outputs: doubled });
    const place = { row: 1, column: 1 }; // behind 5 values
    const reports: object[] = [];
    const onProgress = (report: object) => {
      reports.push(report);
    };
    await expectWarning('receptiveField: layer', () => receptiveField(tried, { ...place, batchSize: 4, onProgress }));
    expect(reports.slice(0, 2)).toEqual([{ done: 4, total: 20 }, { done: 5, total: 20 }]); // biome-ignore format: rows
    expect(reports.at(-1)).toEqual({ done: 20, total: 20 });
    await expectNoLeaks(async () => {
      const controller = new AbortController();
      const { signal } = controller;
      const abort = () => controller.abort(new Error('stopped'));
      await expect(receptiveField(tried, { ...place, signal, onProgress: abort })).rejects.toThrow('stopped');
      const rejects = async () => Promise.reject(new Error('of onProgress'));
      await expect(receptiveField(tried, { ...place, onProgress: rejects })).rejects.toThrow('of onProgress');
      const wrong = { ...place, signal: 1 as never };
      await expect(receptiveField(model, wrong)).rejects.toThrow('receptiveField: signal: wanted');
    });
  });

  it('of a model that is tried sees what one of many classes shows', async () => {
    const numClasses = 12;
    for (const shown of [0, 11]) {
      const [image, label] = [tfl.input({ shape: [1, 2, 1] }), tfl.input({ shape: [1] })];
      const gates = scoped(tf.tensor2d(Array.from({ length: numClasses }, (_, k) => [Number(k === shown)])));
      const isOpen = tfl.layers.dense({ units: 1, useBias: false, weights: [gates] }).apply(oneHotClass({ numClasses }).apply(label));
      const everywhere = tfl.layers.repeatVector({ n: 2 }).apply(isOpen); // not evaluated pixel by pixel
      const map = tfl.layers.reshape({ targetShape: [1, 2, 1] }).apply(everywhere) as tfl.SymbolicTensor;
      const conv = maskedConv2d({ filters: 1, kernelSize: [1, 3], maskType: 'A', imageChannels: 1, seed: 1 });
      const product = tfl.layers.multiply().apply([conv.apply(image), map]) as tfl.SymbolicTensor;
      const both = tfl.layers.concatenate().apply([product, product]) as tfl.SymbolicTensor;
      const logits = pixelLogits({ imageChannels: 1, levels: 2 }).apply(both);
      const model = scoped(autoregressiveModel({ inputs: [image, label], outputs: logits }));
      const { seen } = await expectWarning('receptiveField: layer', () => receptiveField(model, { row: 0, column: 1 }));
      expect(seen).toEqual([[0, 0, 0]]);
    }
  });
});
