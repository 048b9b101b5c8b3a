import * as tf from '@tensorflow/tfjs-core';
import { type AutoregressiveModel, type GatedPixelCNNArgs, gatedPixelCNN, logProb } from 'pixelcnn-layers';
import { expect, it } from 'vitest';
import { anyBackend, isGpu, onBackend, onEachBackend } from '../support/backends';
import { scoped } from '../support/scoped';
import { grid, type SlowCondition, type SlowWeight, setSlowNoise, slowGated } from '../support/slow/gated';
import { expectClose, noise, take } from '../support/tensors';

type ImageShape = [number, number, number];

type Kind = 'none' | 'class' | 'vector' | 'map';

/** Conditions, or none; several at once are in the order of the model's inputs. */
type Kinds = Kind | 'class+vector+map';
const partsOf = (kind: Kinds) => kind.split('+') as Kind[];

/** Classes, or numbers of a condition. */
const K = 3;
const argsOf: Record<Kind, Partial<GatedPixelCNNArgs>> = {
  none: {},
  class: { numClasses: K },
  vector: { conditionSize: K },
  map: { conditionMapSize: K },
};

function build(kind: Kinds, imageShape: ImageShape, args: Partial<GatedPixelCNNArgs> = {}): AutoregressiveModel {
  const sizes = { levels: 3, hiddenDim: 2, outDim: 2, numBlocks: 1, firstKernelSize: 3 };
  const conditions = Object.assign({}, ...partsOf(kind).map((part) => argsOf[part]));
  return gatedPixelCNN({ imageShape, ...sizes, ...conditions, ...args });
}

/** So many conditions as a model takes them, and each in plain numbers; null for none. */
function conditionsOf(kind: Kind, n: number, [h, w]: ImageShape): { tensor: tf.Tensor; slow: SlowCondition[] } | null {
  if (kind === 'none') return null;
  if (kind === 'class') {
    const classes = Array.from({ length: n }, (_, i) => (2 * i + 1) % K);
    const slow = classes.map((label) => Array.from({ length: K }, (_, k) => (k === label ? 1 : 0)));
    return { tensor: tf.tensor2d(classes, [n, 1], 'int32'), slow };
  }
  const shape = kind === 'vector' ? [K] : [h, w, K];
  const size = shape.reduce((a, b) => a * b);
  const values = noise(n * size, 77);
  const slow = Array.from({ length: n }, (_, i) => {
    const one = values.subarray(i * size, (i + 1) * size);
    return kind === 'vector' ? Array.from(one) : grid(one, [h, w, K]);
  });
  return { tensor: tf.tensor(values, [n, ...shape]), slow };
}

/** The same of several conditions, of each its own. */
const allConditionsOf = (kind: Kinds, n: number, imageShape: ImageShape) =>
  partsOf(kind).flatMap((part) => conditionsOf(part, n, imageShape) ?? []);

/** A model of a kind, images and conditions, and the logits of given weights by the slow implementation. */
function scene(kind: Kinds, imageShape: ImageShape, numBlocks: number) {
  const n = 2;
  const model = scoped(build(kind, imageShape, { numBlocks, kernelSize: [3, 5] }));
  const weights = setSlowNoise(model, 5, 0.8);
  const size = imageShape.reduce((a, b) => a * b);
  const values = noise(n * size, 9).map((x) => (x + 1) / 2);
  const images = tf.tensor4d(values, [n, ...imageShape]);
  const conditions = allConditionsOf(kind, n, imageShape);
  const slow = (given: readonly SlowWeight[]) =>
    Array.from({ length: n }, (_, i) => {
      const image = grid(values.subarray(i * size, (i + 1) * size), imageShape);
      const args = { imageChannels: imageShape[2], numBlocks };
      const ofImage = conditions.map((one) => one.slow[i] as SlowCondition);
      return slowGated(image, ofImage, given, args);
    }).flat();
  const x = scoped(conditions.length === 0 ? images : [images, ...conditions.map(({ tensor }) => tensor)]);
  return { model, x, weights, slow };
}

onEachBackend('gatedPixelCNN', (backend) => {
  const scenes: [Kinds, ImageShape, number][] = [
    ['none', [3, 4, 1], 2],
    ['class', [3, 3, 2], 1],
    ['vector', [2, 4, 3], 1],
    ['map', [4, 3, 1], 1],
    ['class+vector+map', [2, 3, 2], 1],
  ];
  const some = isGpu(backend) ? scenes.slice(2) : scenes;
  it.each(some)('equals loops in plain numbers: condition %s, images %j, %i blocks', async (...args) => {
    const { model, x, weights, slow } = scene(...args);
    const logits = model.predict(x) as tf.Tensor;
    expect(logits.shape).toEqual([2, ...args[1], 3]);
    expectClose(await take(logits), slow(weights), 2e-5);
  });
});

onBackend(anyBackend, 'gatedPixelCNN', () => {
  it('has the layers and weights of its docstring', () => {
    const model = scoped(
      gatedPixelCNN({ imageShape: [8, 8, 3], levels: 4, hiddenDim: 2, outDim: 5, numBlocks: 2, numClasses: 10, name: 'gated' }),
    );
    const block = (index: number, rows: number, columns: number, featuresIn: number) => ({
      [`block${index}_vertical/kernel`]: [rows, columns, featuresIn, 12],
      [`block${index}_vertical/bias`]: [12],
      [`block${index}_horizontal/kernel`]: [1, columns, featuresIn, 12],
      [`block${index}_horizontal/bias`]: [12],
      [`block${index}_across/kernel`]: [1, 1, 12, 12],
      [`block${index}_horizontal_gate/condition_kernel`]: [1, 1, 10, 12],
      // of the last block nobody reads the vertical stack
      ...(index < 2 && { [`block${index}_vertical_gate/condition_kernel`]: [1, 1, 10, 12] }),
      [`block${index}_out/kernel`]: [1, 1, 6, 6],
      [`block${index}_out/bias`]: [6],
    });
    const head = {
      'output_conv1/kernel': [1, 1, 6, 15],
      'output_conv1/bias': [15],
      'output_conv2/kernel': [1, 1, 15, 15],
      'output_conv2/bias': [15],
      'final_conv/kernel': [1, 1, 15, 12],
      'final_conv/bias': [12],
    };
    const shapes = Object.fromEntries(model.weights.map(({ originalName, shape }) => [originalName, shape]));
    expect(shapes).toEqual({ ...block(0, 7, 7, 3), ...block(1, 3, 3, 6), ...block(2, 3, 3, 6), ...head });
    expect(model.name).toBe('gated');
    expect([model.imageShape, model.levels]).toEqual([[8, 8, 3], 4]);
    expect(model.outputs[0]?.shape).toEqual([null, 8, 8, 3, 4]);
    expect(model.inputNames).toEqual(['image', 'condition']);
  });

  it('has a projection of each of several conditions, in the order class, vector, map', () => {
    const model = scoped(build('class+vector+map', [2, 2, 1], { conditionSize: 4, conditionMapSize: 5 }));
    expect(model.condition).toBeNull(); // none is the one
    expect(model.conditions).toEqual([{ kind: 'class', numClasses: K }, { kind: 'vector', size: 4 }, { kind: 'map', size: 5 }]); // biome-ignore format: rows
    expect(model.inputNames).toEqual(['image', 'class', 'vector', 'map']);
    const weights = model.weights.filter(({ name }) => name.startsWith('block1_horizontal_gate/'));
    expect(weights.map(({ originalName, shape }) => [originalName?.split('/')[1], shape])).toEqual([
      ['condition_kernel', [1, 1, K, 4]],
      ['condition2_kernel', [1, 1, 4, 4]],
      ['condition3_kernel', [1, 1, 5, 4]],
    ]);
  });

  it('has a null class, one more than there are classes', async () => {
    const model = scoped(build('class', [2, 2, 1], { nullClass: true }));
    setSlowNoise(model, 1, 2);
    expect(model.condition).toEqual({ kind: 'class', numClasses: K, nullClass: true });
    const kernel = model.weights.find(({ name }) => name.startsWith('block0_horizontal_gate/'));
    expect(kernel?.shape).toEqual([1, 1, K + 1, 4]);
    const labels = scoped(tf.tensor4d([0, 1, 2, 0], [1, 2, 2, 1], 'int32'));
    const nats = await Promise.all([0, 1, 2, 3].map(async (condition) => take(await logProb(model, labels, { condition }))));
    expect(new Set(nats.flat()).size).toBe(K + 1); // each is another
    await expect(logProb(model, labels, { condition: K + 1 })).rejects.toThrow('logProb: condition: wanted an integer from 0 to 3, got 4');
  });
});
