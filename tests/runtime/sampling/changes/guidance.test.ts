import * as tf from '@tensorflow/tfjs-core';
import { type AutoregressiveModel, gatedPixelCNN, sample, toPortable } from 'pixelcnn-layers';
import { sample as samplePortable } from 'pixelcnn-layers/runtime';
import { expect, it } from 'vitest';
import { onBackend } from '../../../support/backends';
import { scoped } from '../../../support/scoped';
import { expectNoLeaks, setNoise, take } from '../../../support/tensors';

const sizes = { hiddenDim: 2, outDim: 3, numBlocks: 1, firstKernelSize: 3, numClasses: 2, nullClass: true };
const models: Readonly<Record<string, () => AutoregressiveModel>> = {
  'a softmax': () => gatedPixelCNN({ ...sizes, imageShape: [2, 2, 1], levels: 3 }),
  'a softmax and a map': () => gatedPixelCNN({ ...sizes, imageShape: [1, 2, 2], levels: 3, conditionMapSize: 1 }),
  'a mixture': () => gatedPixelCNN({ ...sizes, imageShape: [1, 2, 2], levels: 3, output: { components: 2 } }),
};
const NONE = 2; // the null class

function made(name: string) {
  const model = (models[name] as (typeof models)[string])();
  setNoise(model, 5, 2);
  const hasMap = model.conditions.length > 1;
  /** The condition of so many images: of one class, and where there is a map the same for all. */
  const condition = (numImages: number, of: number): object => {
    const map = { shape: [numImages, 1, 2, 1], data: Array.from({ length: 2 * numImages }, (_, i) => (i % 2) - 0.5) };
    const classes = new Array<number>(numImages).fill(of);
    return hasMap ? { class: classes, map } : classes;
  };
  return { model, condition };
}

onBackend('wasm', 'guidance', () => {
  it.each(Object.keys(models))('gives the same images in every way, with filters too: %s', async (name) => {
    const { model, condition } = made(name);
    const portable = await toPortable(model);
    const numImages = 18; // evaluated as 36: in several chunks
    const shape = [numImages, ...model.imageShape] as [number, number, number, number];
    const of = (values: number[]) => scoped(tf.tensor4d(values, shape, 'int32'));
    const places = [...Array(numImages * 4).keys()];
    const [known, initial] = [of(places.map((i) => Number(i % 3 === 0))), of(places.map((i) => i % 2))];
    for (const filters of [{}, { topK: 2, temperature: 0.8 }]) {
      const options = { seed: 3, guidance: 2, condition: condition(numImages, 0) as never, ...filters };
      await expectNoLeaks(async () => {
        const given = { ...options, known, initial };
        const incremental = await take(await sample(model, { ...given, strategy: 'incremental' }));
        expect(await take(await sample(model, { ...given, strategy: 'full' }))).toEqual(incremental);
      });
      const unknown = await take(await sample(model, options));
      expect([...(await samplePortable(portable, options)).data]).toEqual(unknown);
      const second = { ...options, firstImage: 9, numImages: 9, condition: condition(9, 0) as never };
      expect(await take(await sample(model, second))).toEqual(unknown.slice(36)); // in whatever parts
    }
    model.dispose();
  });

  it('of 0 has no effect, and of -1 draws without the class', async () => {
    const { model, condition } = made('a softmax');
    const draw = async (of: number, guidance?: number) =>
      take(await sample(model, { seed: 1, condition: condition(50, of) as never, ...(guidance !== undefined && { guidance }) }));
    expect(await draw(1, 0)).toEqual(await draw(1));
    expect(await draw(1, -1)).toEqual(await draw(NONE));
    expect(await draw(1, 3)).not.toEqual(await draw(1));
    model.dispose();
  });

  it('takes one number for each value of each image', async () => {
    const { model, condition } = made('a softmax');
    let calls = 0;
    const random = () => (calls++ % 7) / 7;
    tf.dispose(await sample(model, { numImages: 3, condition: condition(3, 1) as never, guidance: 2, random }));
    expect(calls).toBe(3 * 4);
    model.dispose();
  });

  it('is of models whose class has a null class', async () => {
    const { model, condition } = made('a softmax');
    const pairs = [[Number.NaN, 'NaN'], ['2', "'2'"], [Infinity, 'Infinity']] as const; // biome-ignore format: a line
    for (const [guidance, got] of pairs) {
      const options = { guidance: guidance as number, condition: condition(1, 0) as never };
      await expect(sample(model, options)).rejects.toThrow(`sample: guidance: wanted a number that is finite, got ${got}`);
    }
    const { nullClass: _, numClasses, ...others } = sizes;
    for (const [kind, condition, got] of [
      [{ numClasses }, 0, 'one without'],
      [{}, undefined, 'one without conditions'],
      [{ conditionSize: 1, conditionMapSize: 1 }, { vector: tf.zeros([1, 1]), map: tf.zeros([1, 2, 2, 1]) }, 'one by vector and map'],
    ] as const) {
      const plain = scoped(gatedPixelCNN({ ...others, ...kind, imageShape: [2, 2, 1], levels: 3 }));
      const options = { guidance: 1, ...(condition !== undefined && { condition }) };
      await expect(sample(plain, options)).rejects.toThrow(
        new TypeError(`sample: guidance: wanted a model of classes with a null class (nullClass: true), got ${got}`),
      );
    }
    model.dispose();
  });
});
