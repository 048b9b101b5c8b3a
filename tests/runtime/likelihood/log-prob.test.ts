import * as tf from '@tensorflow/tfjs-core';
import { logProb as logProbOfTensors, pixelCNN, toPortable } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import type { Images } from '../../../src/runtime/core/images';
import { logProb } from '../../../src/runtime/likelihood/log-prob';
import { stepper } from '../../../src/runtime/sampling/stepper';
import { onBackend } from '../../support/backends';
import { portableModel } from '../../support/models/portable-model.mjs';
import { tinyModel } from '../../support/models/tiny-space';
import { scoped } from '../../support/scoped';
import { expectClose, setNoise, take } from '../../support/tensors';

const sum = (numbers: ArrayLike<number>) => Array.from(numbers).reduce((a, b) => a + b, 0);

onBackend('cpu', 'logProb of a model as plain data', () => {
  it('of images of one class is that of a list of it, in several groups', async () => {
    const count = 300; // more than are scored at a time
    const model = portableModel({ imageShape: [2, 2, 1], levels: 3, features: 4, numClasses: 3 });
    const images: Images = { data: Uint8Array.from({ length: 4 * count }, (_, i) => (i * i + (i >> 3)) % 3), shape: [count, 2, 2, 1] };
    const ones = await logProb(model, images, { condition: 1 });
    expect(ones).toEqual(await logProb(model, images, { condition: new Array<number>(count).fill(1) }));
    const last: Images = { data: images.data.slice(4 * 299), shape: [1, 2, 2, 1] };
    expect(await logProb(model, last, { condition: [1] })).toEqual(ones.subarray(299));
  });

  it.each([300, 65_536])('of codes is that of tensors, and what a stepper gives: of %i', async (levels) => {
    const model = scoped(pixelCNN({ imageShape: [2, 2, 1], levels, hiddenDim: 1, outDim: 2, numBlocks: 1 }));
    setNoise(model);
    const portable = await toPortable(model);
    const data = Uint16Array.of(0, levels - 1, 256, 299, levels - 1, 17, levels - 2, 0);
    const images: Images = { data, shape: [2, 2, 2, 1] };
    const perValue = await logProb(portable, images, { perValue: true });
    const steps = scoped(stepper(portable, { numImages: 2 }));
    for (let place = 0; place < 4; place++) {
      const [first, second] = [data[place] as number, data[4 + place] as number];
      const logProbs = steps.logProbs();
      expect([logProbs[first], logProbs[levels + second]]).toEqual([perValue[place], perValue[4 + place]]);
      expectClose([sum(logProbs.map(Math.exp))], [2], 1e-9); // of two images
      steps.put([first, second]);
    }
    const tensor = scoped(tf.tensor4d(Int32Array.from(data), [2, 2, 2, 1], 'int32'));
    expectClose(await logProb(portable, images), await take(await logProbOfTensors(model, tensor)), 1e-4); // of about 40 nats
    const beyond: Images = { data: Int32Array.from(data).fill(levels, 2, 3), shape: [2, 2, 2, 1] };
    await expect(logProb(portable, beyond)).rejects.toThrow(`logProb: images: wanted integer levels 0 to ${levels - 1}, got ${levels}`);
  });

  it('reports each row, and stops where the signal aborts', async () => {
    const portable = await toPortable(scoped(tinyModel()));
    const images: Images = { data: new Uint8Array(4 * 300), shape: [300, 2, 2, 1] };
    const seen: { done: number; total: number }[] = [];
    await logProb(portable, images, { onProgress: (progress) => seen.push(progress) });
    const total = 1200; // values: of 256 images first, then of 44
    expect(seen).toEqual([512, 1024, 1112, 1200].map((done) => ({ done, total })));

    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error('enough'));
    await expect(logProb(portable, images, { signal: controller.signal, onProgress })).rejects.toThrow('enough');
    await expect(logProb(portable, images, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('names invalid arguments', async () => {
    const portable = await toPortable(scoped(tinyModel()));
    const images: Images = { data: new Uint8Array(4), shape: [1, 2, 2, 1] };
    const wrong: [unknown, unknown, string][] = [
      [undefined, {}, 'logProb: images: wanted images of levels [N,H,W,C], got undefined'],
      [{ ...images, data: new Uint8Array(3) }, {}, 'logProb: images: data: wanted 4 levels, got 3'],
      [{ ...images, shape: [1, 4, 1, 1] }, {}, 'logProb: images: wanted [2, 2, 1], got [4, 1, 1]'],
      [{ ...images, data: Uint8Array.of(0, 1, 2, 3) }, {}, 'logProb: images: wanted integer levels 0 to 2, got 3'],
      [images, null, 'logProb: wanted an object'],
      [images, { condition: 0 }, 'logProb: condition: wanted none'],
      [images, { perValue: 1 }, 'logProb: perValue: wanted true or false, got 1'],
      [images, { onProgress: 1 }, 'logProb: onProgress: wanted a function'],
      [images, { signal: {} }, 'logProb: signal: wanted an AbortSignal'],
    ];
    for (const [given, options, message] of wrong)
      await expect(logProb(portable, given as never, options as never)).rejects.toThrow(message);
  });
});
