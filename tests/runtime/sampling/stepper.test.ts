import { gatedPixelCNN, type PortableModel, pixelCNN, toPortable } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { logProb } from '../../../src/runtime/likelihood/log-prob';
import { sample } from '../../../src/runtime/sampling/sample';
import { stepper } from '../../../src/runtime/sampling/stepper';
import { useBackend } from '../../support/backends';
import { tinyModel } from '../../support/models/tiny-space';
import { scoped } from '../../support/scoped';
import { noise, setNoise } from '../../support/tensors';

let tiny: PortableModel; // of images [2,2,1] with 3 levels
let classes: PortableModel; // of images [2,2,2] with 4 levels, of 3 classes

beforeAll(async () => {
  await useBackend('cpu');
  const models = [tinyModel(), gatedPixelCNN({ imageShape: [2, 2, 2], levels: 4, hiddenDim: 3, outDim: 3, numBlocks: 1, numClasses: 3 })];
  for (const model of models) setNoise(model);
  [tiny, classes] = (await Promise.all(models.map((model) => toPortable(model)))) as [PortableModel, PortableModel];
  for (const model of models) model.dispose();
});

const highest = (logProbs: ArrayLike<number>) => {
  const all = Array.from(logProbs);
  return all.indexOf(Math.max(...all));
};

describe('stepper', () => {
  it('goes through the places in order, and draws what sample draws', () => {
    const steps = stepper(classes, { condition: [2, 0] });
    const [first, second]: [number[], number[]] = [[], []];
    for (let index = 0; index < 8; index++) {
      expect(steps.place).toEqual([index >> 2, (index >> 1) & 1, index & 1]);
      const logProbs = steps.logProbs();
      expect(logProbs).toHaveLength(2 * 4);
      const before = logProbs.slice(); // of which the array is used again
      expect(steps.logProbs()).toEqual(before); // asked twice
      const levels = [highest(logProbs.subarray(0, 4)), highest(logProbs.subarray(4))];
      for (const [n, image] of [first, second].entries()) image.push(levels[n] as number);
      steps.put(levels);
    }
    expect(steps.place).toBeNull();
    return expect(sample(classes, { condition: [2, 0], temperature: 0 })).resolves.toEqual({
      data: Uint8Array.from([...first, ...second]),
      shape: [2, 2, 2, 2],
    });
  });

  it('continues an image as another one, under its conditions and in any chunk', async () => {
    const sizes = { imageShape: [3, 2, 2] as [number, number, number], levels: 3, hiddenDim: 2, outDim: 3, numBlocks: 1 };
    const model = scoped(gatedPixelCNN({ ...sizes, numClasses: 5, conditionMapSize: 2 }));
    setNoise(model);
    const both = await toPortable(model);
    const numImages = 40; // in two chunks
    const from = Array.from({ length: numImages }, (_, n) => (7 * n + 3) % numImages);
    const map = noise(numImages * 12, 5);
    const of = (images: number[]) => ({
      class: images.map((n) => n % 5),
      map: { data: images.flatMap((n) => [...map.subarray(12 * n, 12 * n + 12)]), shape: [numImages, 3, 2, 2] },
    });
    const [steps, afresh] = [stepper(both, { condition: of([...from.keys()]) }), stepper(both, { condition: of(from) })];
    for (let index = 0; index < 12; index++) {
      const level = (n: number) => (n * n + index * n + index) % 3;
      const isCopied = index >= 7; // in the middle of the second row, and of a pixel
      if (index === 7) {
        steps.logProbs(); // what is at hand is copied too
        steps.copy(from);
      }
      if (isCopied) expect(steps.logProbs()).toEqual(afresh.logProbs());
      steps.put(isCopied ? from.map(level) : [...from.keys()].map(level));
      afresh.put(from.map(level));
    }
    const alone = logProb(both, { data: new Uint8Array(12), shape: [1, 3, 2, 2] }, { condition: { class: 1 } });
    await expect(alone).rejects.toThrow('logProb: condition.map: wanted numbers of shape [1,3,2,2]');
    expect(() => stepper(both, { condition: { class: 1 } })).toThrow('stepper: condition.map: wanted numbers');
  });

  it('does not wait for log-probabilities that nobody asks for', () => {
    const [asked, silent] = [stepper(tiny), stepper(tiny)];
    for (const level of [2, 1, 0]) {
      asked.logProbs();
      asked.put([level]);
      silent.put([level]);
    }
    expect(silent.logProbs()).toEqual(asked.logProbs());
  });

  it('names invalid arguments', async () => {
    expect(() => stepper(tiny, null as never)).toThrow('stepper: wanted an object');
    expect(() => stepper(tiny, { numImages: 0 })).toThrow('stepper: numImages: wanted an integer of at least 1');
    expect(() => stepper(tiny, { condition: 1 })).toThrow('stepper: condition: wanted none');
    expect(() => stepper(classes)).toThrow('stepper: condition: wanted a class from 0 to 2');
    expect(() => stepper(tiny, { imageShape: [3, 2, 1] })).toThrow('stepper: imageShape: wanted [2, 2, 1]');
    const any = scoped(pixelCNN({ imageShape: [null, null, 1], levels: 2, hiddenDim: 1, outDim: 1, numBlocks: 0 }));
    expect(stepper(await toPortable(any), { imageShape: [1, 2, 1] }).place).toEqual([0, 0, 0]);

    const steps = stepper(tiny, { numImages: 2 });
    expect(() => steps.put([0])).toThrow('stepper: put: wanted an array of 2, one for each image, got [0]');
    expect(() => steps.put([0, 3])).toThrow('stepper: put: wanted integer levels 0 to 2, got 3');
    expect(() => steps.copy([0])).toThrow('stepper: copy: wanted an array of 2, one for each image, got [0]');
    expect(() => steps.copy([0, 2])).toThrow('stepper: copy: wanted an integer from 0 to 1, got 2');
    expect(steps.place).toEqual([0, 0, 0]); // nothing was put
    for (let index = 0; index < 4; index++) steps.put([0, 1]);
    for (const act of [() => steps.put([0, 0]), () => steps.logProbs()]) expect(act).toThrow('stepper: all values have been put');
    steps.dispose();
    for (const act of [() => steps.put([0, 0]), () => steps.logProbs(), () => steps.copy([0, 0])])
      expect(act).toThrow('stepper: it has been disposed');
    expect(steps.place).toBeNull();
  });
});
