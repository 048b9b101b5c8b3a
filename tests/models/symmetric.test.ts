import * as tf from '@tensorflow/tfjs-core';
import type { SymmetricModel } from 'pixelcnn-layers';
import { checkCausality, compress, gatedPixelCNN, levelLogProbs, logProb, pixelCNN, sample, symmetric, toPortable } from 'pixelcnn-layers';
import * as runtime from 'pixelcnn-layers/runtime';
import { expect, it } from 'vitest';
import { onBackend } from '../support/backends';
import { errorOf } from '../support/errors';
import { elementsSlowly, inElement } from '../support/laws/all-images';
import { scoped } from '../support/scoped';
import { expectClose, expectNoLeaks, setNoise, take } from '../support/tensors';

const args = { imageShape: [2, 2, 1] as [number, number, number], levels: 3, hiddenDim: 3, outDim: 4, numBlocks: 1 };
const plain = () => {
  const network = pixelCNN({ ...args, firstKernelSize: 3 });
  setNoise(network, 2);
  return network;
};
const classes = (numClasses: number, nullClass = false) => {
  const network = gatedPixelCNN({ ...args, numClasses, nullClass });
  setNoise(network, 2);
  return network;
};

onBackend('cpu', 'a symmetric model of tfjs', () => {
  const cases: [string, () => SymmetricModel, object, number[] | undefined][] = [
    ['of flips', () => symmetric(plain(), ['flipLevels', 'flipRows']), {}, undefined],
    ['of the square, filtered', () => symmetric(plain(), ['transpose', 'flipRows']), { temperature: 0.7, topK: 2 }, undefined],
    ['told, with classes', () => symmetric(classes(8), ['transpose', 'flipLevels'], { asCondition: true }), {}, [0, 1, 1, 0, 1]],
    ['told, without others', () => symmetric(classes(2), ['flipColumns'], { asCondition: true }), {}, undefined],
    ['with guidance', () => symmetric(classes(2, true), ['flipColumns']), { guidance: 1.2 }, [0, 1, 1, 0, 1]],
  ];
  it.each(cases)('draws and scores what the runtime does: %s', async (_, make, more, condition) => {
    const model = make();
    const portable = await toPortable(model);
    expect(portable.symmetry).toEqual(model.symmetry);
    const of = condition && { condition };
    const known = [0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1];
    const initial = known.map((_, i) => (i * i) % 3);
    const shape = [5, 2, 2, 1] as [number, number, number, number];
    const given = { initial: { data: initial, shape }, known: { data: known, shape } };
    const tensors = scoped({ initial: tf.tensor4d(initial, shape, 'int32'), known: tf.tensor4d(known, shape) });
    // biome-ignore format: pairs
    for (const [ofRuntime, ofTensors] of [[{}, {}], [given, tensors], [{ ...given, lookAhead: 2 }, { ...tensors, lookAhead: 2 }]] as const) {
      const job = { numImages: 5, seed: 3, ...more, ...of, withLogProb: true as const };
      const wanted = await runtime.sample(portable, { ...job, ...ofRuntime });
      for (const strategy of ['incremental', 'full'] as const) {
        await expectNoLeaks(async () => {
          const drawn = await sample(model, { ...job, ...ofTensors, strategy });
          expect(Array.from(await drawn.images.data())).toEqual(Array.from(wanted.images.data));
          const near = strategy === 'full' ? 1e-3 : 1e-5;
          expectClose(await take(await logProb(model, drawn.images, { ...of, batchSize: 2 })), wanted.logProb, 1e-3);
          for (const name of ['logProb', 'logDrawn'] as const) expectClose(await take(drawn[name]), wanted[name], near);
          if (wanted.logGiven) expectClose(await take(drawn.logGiven as tf.Tensor), wanted.logGiven, near);
          drawn.images.dispose();
        });
      }
    }
    model.model.dispose();
  });

  it('says what callers give it, and orients images', () => {
    const network = scoped(classes(8));
    const told = symmetric(network, ['transpose', 'flipLevels'], { asCondition: true });
    expect(told).toMatchObject({ model: network, numElements: 4, levels: 3, imageShape: [2, 2, 1] });
    expect(told.conditions).toEqual([{ kind: 'class', numClasses: 2 }]);
    expect(told.symmetry).toEqual({ symmetries: ['transpose', 'flipLevels'], asCondition: true });
    expect(symmetric(network, ['transpose', 'flipRows'], { asCondition: true }).conditions).toEqual([]);
    expect(symmetric(network, ['flipRows']).conditions).toEqual([{ kind: 'class', numClasses: 8 }]);
    const image = [0, 1, 2, 1];
    for (const [element, changes] of elementsSlowly(['transpose', 'flipLevels']).entries())
      expect(Array.from(told.orient(Int32Array.from(image), [2, 2, 1], [element]))).toEqual(inElement(changes, image, told as never));
  });

  it('is refused by what needs one order, by name', async () => {
    const network = scoped(plain());
    const model = symmetric(network, ['flipRows']) as never;
    const images = scoped(tf.zeros<tf.Rank.R4>([1, 2, 2, 1], 'int32'));
    const refused: [string, () => unknown][] = [
      ['levelLogProbs: model', () => levelLogProbs(model, images)],
      ['compress: model', () => compress(model, images)],
      ['checkCausality: model', () => checkCausality(model)],
      ['symmetric: model', () => symmetric(model, ['flipRows'])],
    ];
    for (const [name, act] of refused) {
      await expect(async () => act()).rejects.toThrow(errorOf(TypeError, `${name}: wanted a model without symmetries, got`));
    }
    await expect(logProb(model, images, { perValue: true })).rejects.toThrow('logProb: perValue: wanted a model without symmetries');
  });

  it('takes no null class as elements, and no unknown symmetry', () => {
    const network = scoped(classes(4, true));
    const told = () => symmetric(network, ['flipRows', 'flipColumns'], { asCondition: true });
    expect(told).toThrow('symmetric: asCondition: wanted 4 classes or a multiple, and no null class, got');
    expect(() => symmetric(network, ['constructor' as never])).toThrow("symmetric: symmetries: wanted 'flipRows' or");
  });
});
