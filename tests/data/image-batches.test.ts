import * as tf from '@tensorflow/tfjs-core';
import * as tfd from '@tensorflow/tfjs-data';
import fc from 'fast-check';
import { bitsPerDim, normalize, pixelCNN } from 'pixelcnn-layers';
import { type ImageBatch, type ImageBatchOptions, type ImageSet, imageBatches, imageSet, quantize } from 'pixelcnn-layers/data';
import { describe, expect, it } from 'vitest';
import { epochOrder } from '../../src/data/image-batches';
import type { ImageShape } from '../../src/runtime/core/images';
import { orientationsOf, oriented } from '../../src/runtime/core/symmetries';
import { isGpu, onBackend, onEachBackend } from '../support/backends';
import { errorOf } from '../support/errors';
import { forAll } from '../support/runs';
import { scoped } from '../support/scoped';
import { expectNoLeaks } from '../support/tensors';

/** Images [n,1,2,1] of 256 levels, of which each tells its own number: the two bytes of it. */
function numbered(n: number): ImageSet {
  const data = Uint8Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? (i >> 1) % 256 : i >> 9));
  return imageSet({ data, shape: [n, 1, 2, 1], levels: 256 });
}

/** The numbers of the images in a batch, which is disposed. */
function numbersOf(batch: ImageBatch): number[] {
  const levels = batch.ys.dataSync();
  tf.dispose(batch);
  return Array.from({ length: levels.length / 2 }, (_, b) => (levels[2 * b] as number) + 256 * (levels[2 * b + 1] as number));
}

/** The numbers in the first batches, up to `most` of them. */
function take(images: ImageSet, options: ImageBatchOptions & { withClasses?: false }, most: number): number[][] {
  const taken: number[][] = [];
  if (most === 0) return taken;
  for (const batch of imageBatches(images, options)) {
    taken.push(numbersOf(batch));
    if (taken.length === most) break;
  }
  return taken;
}

const sizes = fc.record({
  n: fc.integer({ min: 1, max: 40 }), batchSize: fc.integer({ min: 1, max: 50 }), seed: fc.integer({ min: -9, max: 9 }),
  shuffle: fc.boolean(),
}); // biome-ignore format: in few lines

onBackend('cpu', 'the order of imageBatches', () => {
  it('is one sequence of epochs, cut into whole batches', () =>
    forAll([sizes], { numRuns: 20, seed: 1 }, ({ n, ...options }) => {
      const { batchSize, seed, shuffle } = options;
      const steps = Math.ceil((3 * n) / batchSize);
      const batches = take(numbered(n), options, steps);
      expect(batches.map(({ length }) => length)).toEqual(new Array(steps).fill(batchSize));
      const inOrder = Array.from({ length: n }, (_, i) => i);
      const places = batches.flat();
      for (let epoch = 0; epoch < 3; epoch++) {
        const seen = places.slice(epoch * n, (epoch + 1) * n);
        expect(seen).toEqual(shuffle ? Array.from(epochOrder(n, seed, epoch)) : inOrder);
        expect(seen.sort((a, b) => a - b)).toEqual(inOrder); // every image once
      }
    }));

  it('is one epoch without repeat, whose last batch may be smaller', () =>
    forAll([sizes], { numRuns: 20, seed: 1 }, ({ n, ...options }) => {
      const images = numbered(n);
      const batches = take(images, { ...options, repeat: false }, Number.POSITIVE_INFINITY);
      const { stepsPerEpoch } = imageBatches(images, options);
      expect(batches).toHaveLength(stepsPerEpoch);
      expect(batches.flat()).toEqual(take(images, options, stepsPerEpoch).flat().slice(0, n));
      const last = n % options.batchSize || options.batchSize;
      expect(batches.map(({ length }) => length)).toEqual(batches.map((_, i) => (i < stepsPerEpoch - 1 ? options.batchSize : last)));
    }));

  it('continues from any step as if the earlier steps had been taken', () => {
    forAll([sizes, fc.boolean(), fc.nat(12)], { numRuns: 20, seed: 1 }, ({ n, ...options }, repeat, firstStep) => {
      const images = numbered(n);
      const all = take(images, { ...options, repeat }, firstStep + 5);
      expect(take(images, { ...options, repeat, firstStep }, 5)).toEqual(all.slice(firstStep));
    });
    // and far away, without the steps before it
    const [batch] = take(numbered(10), { batchSize: 5, firstStep: 2 ** 45 + 1 }, 1);
    expect(batch).toEqual(Array.from(epochOrder(10, 0, 2 ** 44)).slice(5));
  });

  it('begins anew with every iterator, and iterators do not disturb each other', () => {
    const images = numbered(7);
    const batches = imageBatches(images, { batchSize: 3, seed: 4, firstStep: 2 });
    const alone = take(images, { batchSize: 3, seed: 4, firstStep: 2 }, 6);
    const [one, other] = [batches[Symbol.iterator](), batches[Symbol.iterator]()];
    for (const expected of alone) for (const iterator of [one, other]) expect(numbersOf(iterator.next().value)).toEqual(expected);
  });

  it('depends on the seed only', () => {
    const images = numbered(600); // more than one byte tells
    const orders = [0, 1, 2].map((seed) => take(images, { batchSize: 600, seed }, 1));
    expect(new Set(orders.map(String)).size).toBe(3);
    expect(take(images, { batchSize: 600 }, 1)).toEqual(orders[0]);
  });
});

onBackend('cpu', 'classes that are dropped', () => {
  /** Images 0..n-1 of which image i is of class i % 7, and the classes of the first batches by image. */
  const n = 200;
  const set: ImageSet = { ...numbered(n), labels: Uint8Array.from({ length: n }, (_, i) => i % 7) };
  const drawn = (options: Partial<ImageBatchOptions>, steps: number): [image: number, given: number][] => {
    const all: [number, number][] = [];
    const batches = imageBatches(set, { batchSize: 50, ...options, withClasses: true });
    let step = 0;
    for (const { xs, ys } of batches) {
      const [images, classes] = xs;
      const numbers = numbersOf({ xs: images, ys });
      const given = classes.dataSync();
      classes.dispose();
      all.push(...numbers.map((image, b): [number, number] => [image, given[b] as number]));
      if (++step === steps) break;
    }
    return all;
  };
  const dropClass = { probability: 0.25, nullClass: 7 };

  it('are dropped for some images, others in each epoch, in any order', () => {
    for (const shuffle of [true, false]) {
      const all = drawn({ dropClass, shuffle }, 40); // ten epochs
      expect(all.map(([image]) => image)).toEqual(drawn({ shuffle }, 40).map(([image]) => image)); // the order stays
      expect(all.every(([image, given]) => given === 7 || given === image % 7)).toBe(true);
      const dropped = all.flatMap(([, given], place) => (given === 7 ? [place] : []));
      // 2000 draws of 0.25: 500 on average, and 5 standard deviations of 19.4 to either side
      expect(Math.abs(dropped.length - 500)).toBeLessThan(97);
      const epochs = [0, 1].map((epoch) => dropped.filter((place) => Math.floor(place / n) === epoch).map((place) => place % n));
      expect(epochs[0]).not.toEqual(epochs[1]);
    }
  });

  it('go on from any step, are others for another seed, and do not depend on the size of batches', () => {
    const all = drawn({ dropClass }, 12);
    expect(drawn({ dropClass, firstStep: 5 }, 7)).toEqual(all.slice(250));
    expect(drawn({ dropClass, batchSize: 30 }, 20)).toEqual(all);
    const places = (of: [number, number][]) => of.map(([, given]) => given === 7);
    const [one, other] = [1, 2].map((seed) => places(drawn({ dropClass, seed, shuffle: false }, 12)));
    expect(one).not.toEqual(other);
  });

  it('may be more than a byte can distinguish', async () => {
    const all = [256, 3, 999, 511];
    const many = { ...numbered(4), labels: Uint16Array.from(all) };
    const options = { batchSize: 4, shuffle: false, withClasses: true } as const;
    await expectNoLeaks(async () => {
      const [batch] = imageBatches(many, { ...options, repeat: false });
      const classes = batch?.xs[1] as tf.Tensor2D;
      expect(Array.from(await classes.data())).toEqual(all);
      tf.dispose(batch);
    });
    const dropClass = { probability: 0.5, nullClass: 999 };
    expect(() => imageBatches(many, { ...options, dropClass })).toThrow(
      'imageBatches: dropClass: nullClass: wanted one above all classes, so at least 1000, got 999',
    );
  });

  it('are dropped never or always if the probability is 0 or 1', () => {
    expect(drawn({ dropClass: { ...dropClass, probability: 0 } }, 4)).toEqual(drawn({}, 4));
    expect(new Set(drawn({ dropClass: { ...dropClass, probability: 1 } }, 4).map(([, given]) => given))).toEqual(new Set([7]));
  });

  it('stay the same from release to release, since training goes on by them', () => {
    const all = drawn({ dropClass: { probability: 0.1, nullClass: 7 }, shuffle: false }, 1);
    expect(all.flatMap(([image, given]) => (given === 7 ? [image] : []))).toEqual([6, 41, 48]);
  });

  it('are asked for by name', () => {
    const wrong: [given: object, message: string][] = [
      [{ dropClass, withClasses: false }, 'wanted withClasses: true too, got undefined'],
      [{ dropClass: 0.1 }, 'wanted an object of arguments, got 0.1'],
      [{ dropClass: { ...dropClass, prob: 1 } }, "unknown option 'prob': did you mean probability?"],
      [{ dropClass: { probability: 1.1, nullClass: 7 } }, 'probability: wanted a number from 0 to 1, got 1.1'],
      [{ dropClass: { probability: 0.1 } }, 'nullClass: wanted an integer from 1 to 16777216, got undefined'],
      [{ dropClass: { probability: 0.1, nullClass: 6 } }, 'nullClass: wanted one above all classes, so at least 7, got 6'],
    ];
    for (const [given, message] of wrong)
      expect(() => imageBatches(set, { batchSize: 2, withClasses: true, ...given })).toThrow(`imageBatches: dropClass: ${message}`);
  });
});

onBackend('cpu', 'orientations', () => {
  const [n, levels] = [40, 5];
  const imageShape = [3, 3, 2] as const;
  const size = 18;
  const data = Uint8Array.from({ length: n * size }, (_, i) => Math.imul(i + 1, 2654435761) >>> 24);
  const labels = Uint8Array.from({ length: n }, (_, i) => i % 7);
  const set = imageSet({ data, shape: [n, ...imageShape], levels: 256, labels });
  const symmetries = ['flipRows', 'transpose', 'flipLevels'] as const;
  const elements = orientationsOf(symmetries);
  /** As `symmetric` makes it. */
  const orientations = {
    numElements: 16,
    orient: (images: Int32Array, shape: ImageShape, of: ArrayLike<number>) => oriented(images, shape, levels, elements, of),
  };

  /** The images of the first batches, as they are given, and their classes. */
  const drawn = (options: Partial<ImageBatchOptions>, steps: number) => {
    const images: number[] = [];
    const classes: number[] = [];
    let step = 0;
    for (const { xs, ys } of imageBatches(set, { batchSize: 8, levels, orientations, ...options })) {
      images.push(...ys.dataSync());
      classes.push(...xs[1].dataSync());
      const normalized = normalize(ys, levels);
      expect(xs[0].dataSync()).toEqual(normalized.dataSync());
      tf.dispose([xs, ys, normalized]);
      if (++step === steps) break;
    }
    return { images, classes };
  };

  it('are told by the classes: undone, they are the images', () => {
    expect(elements).toHaveLength(16);
    for (const withClasses of [false, true]) {
      const { images, classes } = drawn({ withClasses, seed: 3 }, 10); // two epochs
      const of = classes.map((one) => one % 16);
      const undone = oriented(Int32Array.from(images), imageShape, levels, elements, of, true);
      const order = [0, 1].flatMap((epoch) => Array.from(epochOrder(n, 3, epoch)));
      const upright = quantize(set, levels).data;
      expect(Array.from(undone)).toEqual(order.flatMap((i) => Array.from(upright.slice(i * size, (i + 1) * size))));
      const own = classes.map((one) => Math.floor(one / 16));
      expect(own).toEqual(order.map((i) => (withClasses ? labels[i] : 0)));
    }
  });

  it('are each as likely, and others in each epoch', () => {
    const { classes } = drawn({}, 1000); // 200 epochs
    const counts = elements.map((_, element) => classes.filter((one) => one === element).length);
    // 500 expected of each: chi-square with 15 degrees of freedom exceeds 37.7 once in a thousand seeds
    expect(counts.reduce((sum, count) => sum + (count - 500) ** 2 / 500, 0)).toBeLessThan(37.7);
    expect(classes.slice(0, n)).not.toEqual(classes.slice(n, 2 * n));
  });

  it('go on from any step, are others for another seed, and do not depend on the size of batches', () => {
    const all = drawn({}, 12);
    const { images, classes } = drawn({ firstStep: 5 }, 7);
    expect([images, classes]).toEqual([all.images.slice(40 * size), all.classes.slice(40)]);
    expect(drawn({ batchSize: 12 }, 8)).toEqual(all);
    expect(drawn({ shuffle: false, seed: 1 }, 1)).not.toEqual(drawn({ shuffle: false, seed: 2 }, 1));
  });

  it('stay the same from release to release, since training goes on by them', () => {
    expect(drawn({}, 1).classes).toEqual([14, 13, 6, 5, 9, 13, 10, 14]);
  });

  it('are refused where images have none, and with dropped classes', () => {
    const refused = (given: object) => expect(() => imageBatches(set, { batchSize: 2, ...given }));
    refused({ orientations: ['flipRows'] }).toThrow("imageBatches: orientations: wanted a symmetric model, got ['flipRows']");
    const dropClass = { probability: 0.1, nullClass: 7 };
    refused({ orientations, withClasses: true, dropClass }).toThrow('imageBatches: dropClass: wanted no orientations, got 7');
  });
});

it('the options of imageBatches are checked at once', () => {
  const images = quantize(numbered(4), 16);
  const refuses = (options: object | undefined, message: string) =>
    expect(() => imageBatches(images, options as ImageBatchOptions)).toThrow(errorOf(TypeError, message));
  refuses(undefined, 'imageBatches: wanted an object of arguments, got undefined');
  refuses({}, 'imageBatches: batchSize: wanted an integer of at least 1, got undefined');
  refuses({ batchSize: 0 }, 'imageBatches: batchSize: wanted an integer of at least 1, got 0');
  refuses({ batchSize: 2, shuffle: 'no' }, "imageBatches: shuffle: wanted true or false, got 'no'");
  refuses({ batchSize: 2, repeat: 3 }, 'imageBatches: repeat: wanted true or false, got 3');
  refuses({ batchSize: 2, seed: 0.5 }, 'imageBatches: seed: wanted an integer, got 0.5');
  refuses({ batchSize: 2, levels: 17 }, 'imageBatches: levels: wanted an integer from 2 to 16, got 17');
  refuses({ batchSize: 2, firstStep: -1 }, 'imageBatches: firstStep: wanted an integer from 0 to 4503599627370494, got -1');
  expect(() => imageBatches({ ...images, data: new Uint8Array(3) }, { batchSize: 1 })).toThrow(
    'imageBatches: images: data: wanted 8 levels, for shape [4,1,2,1], got 3',
  );
});

onEachBackend('imageBatches', (backend) => {
  const data = Uint8Array.from({ length: 10 * 3 * 4 * 2 }, (_, i) => (i * i) % 5);
  const images = imageSet({ data, shape: [10, 3, 4, 2], levels: 5 });

  it('yields the levels and the inputs of models, quantized', () =>
    expectNoLeaks(async () => {
      for (const levels of [5, 3, 2]) {
        const options = { batchSize: 4, levels, shuffle: false, repeat: false };
        let start = 0;
        for (const batch of imageBatches(images, options)) {
          const { xs, ys } = batch;
          const size = Math.min(4, 10 - start);
          expect([xs.shape, xs.dtype]).toEqual([[size, 3, 4, 2], 'float32']);
          expect([ys.shape, ys.dtype]).toEqual([[size, 3, 4, 2], 'int32']);
          const expected = quantize(images, levels).data.slice(start * 24, (start + size) * 24);
          expect(Array.from(await ys.data())).toEqual(Array.from(expected));
          expect(Array.from(await xs.data())).toEqual(Array.from(expected, (level) => Math.fround(level / (levels - 1))));
          const normalized = normalize(ys, levels);
          const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(normalized, xs))));
          expect((await difference.data())[0]).toBeLessThan(1e-6);
          tf.dispose([batch, normalized, difference]);
          start += size;
        }
        expect(start).toBe(10);
      }
    }));

  it('yields 16-bit levels unchanged, and quantized to bytes', async () => {
    const codes = imageSet({ data: Uint16Array.of(0, 256, 40000, 65535), shape: [2, 1, 2, 1], levels: 65536 });
    await expectNoLeaks(async () => {
      for (const levels of [65536, 300, 256]) {
        const options = { batchSize: 2, levels, shuffle: false, repeat: false };
        for (const batch of imageBatches(codes, options)) {
          const expected = Array.from(codes.data, (code) => Math.floor((code * levels) / 65536));
          expect(Array.from(await batch.ys.data())).toEqual(expected);
          expect(Array.from(await batch.xs.data())).toEqual(expected.map((level) => Math.fround(level / (levels - 1))));
          tf.dispose(batch);
        }
      }
    });
  });

  it('trains in a loop of steps, in fitDataset and in evaluateDataset alike, and leaves no tensor', async () => {
    const build = () => {
      const model = pixelCNN({ imageShape: [3, 4, 2], levels: 5, hiddenDim: 2, outDim: 4, numBlocks: 0 });
      model.compile({ optimizer: tf.train.sgd(0.1), loss: bitsPerDim });
      return scoped(model);
    };
    const [one, other] = [build(), build()];
    other.setWeights(one.getWeights());
    const batchSize = isGpu(backend) ? 5 : 4; // of ten: one size, or two
    const batches = imageBatches(images, { batchSize, seed: 3 });
    const { stepsPerEpoch } = batches;
    expect(stepsPerEpoch).toBe(Math.ceil(10 / batchSize));

    const losses: number[] = [];
    const loop = async () => {
      for (const batch of batches) {
        losses.push((await one.trainOnBatch(batch.xs, batch.ys)) as number);
        tf.dispose(batch);
        if (losses.length % (2 * stepsPerEpoch) === 0) break;
      }
    };
    const dataset = tfd.generator(() => batches[Symbol.iterator]());
    const fitted: number[] = [];
    const fitTwice = () =>
      other.fitDataset(dataset, {
        epochs: 2,
        batchesPerEpoch: stepsPerEpoch,
        verbose: 0,
        callbacks: { onBatchEnd: async (_, logs) => void fitted.push(logs?.['loss'] as number) },
      });
    await loop(); // the first steps make the variables of the optimizers
    await fitTwice();
    expect(fitted.length).toBe(2 * stepsPerEpoch);
    for (const [i, loss] of losses.entries()) expect(fitted[i]).toBeCloseTo(loss, 4);

    await expectNoLeaks(loop);
    await expectNoLeaks(async () => void (await fitTwice()));

    const whole = imageBatches(images, { batchSize, repeat: false });
    const ofWhole = tfd.generator(() => whole[Symbol.iterator]());
    await expectNoLeaks(() => other.evaluateDataset(ofWhole, {}));
    const history = await other.fitDataset(ofWhole, { epochs: 2, verbose: 0 }); // ends by itself
    expect(history.history['loss']).toHaveLength(2);
  });
});

describe('epochOrder', () => {
  it('stays the same from release to release, since training goes on by it', () => {
    expect(Array.from(epochOrder(8, 7, 3))).toEqual([2, 6, 7, 3, 5, 0, 1, 4]);
  });

  it('makes every order equally likely', () => {
    const counts = new Map<string, number>();
    for (let epoch = 0; epoch < 12_000; epoch++) {
      const order = epochOrder(4, 5, epoch).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    // 24 orders, 500 expected of each: chi-square with 23 degrees of freedom exceeds 49.7 once in a thousand seeds
    expect(counts.size).toBe(24);
    const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - 500) ** 2 / 500, 0);
    expect(chiSquare).toBeLessThan(49.7);
  });
});
