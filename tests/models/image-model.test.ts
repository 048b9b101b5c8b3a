import * as tfl from '@tensorflow/tfjs-layers';
import { levelEmbedding, oneHotClass, oneHotLevels, pixelLogits } from 'pixelcnn-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { imageModelShape } from '../../src/models/image-model';
import { useBackend } from '../support/backends';

beforeAll(() => useBackend('cpu'));

function stock(outputs: (image: tfl.SymbolicTensor) => tfl.SymbolicTensor, shape: (number | null)[] = [4, 5, 2]) {
  const image = tfl.input({ shape });
  return tfl.model({ inputs: image, outputs: outputs(image) });
}

const logits = (image: tfl.SymbolicTensor) =>
  pixelLogits({ imageChannels: 2, levels: 3 }).apply(
    tfl.layers.conv2d({ filters: 6, kernelSize: 1 }).apply(image) as tfl.SymbolicTensor,
  ) as tfl.SymbolicTensor;

it('reads the shapes of any model from images to logits', () => {
  const distribution = { isSoftmax: true, imageChannels: 2, levels: 3, numParameters: 6 };
  const rest = { levels: 3, conditions: [], distribution };
  expect(imageModelShape('caller', stock(logits))).toMatchObject({ imageShape: [4, 5, 2], ...rest });
  expect(imageModelShape('caller', stock(logits, [null, null, 2]))).toMatchObject({ imageShape: [null, null, 2], ...rest });
});

it('throws where the image is read as other levels than the outputs have', () => {
  for (const encode of [oneHotLevels({ levels: 4, name: 'codes' }), levelEmbedding({ levels: 4, units: 2, name: 'codes' })]) {
    const model = stock((image) => logits(encode.apply(image)));
    expect(() => imageModelShape('caller', model)).toThrow("caller: levels of layer 'codes': wanted 3, as the outputs have, got 4");
  }
});

it('throws for models of other shapes, and shows them', () => {
  type Symbolic = tfl.SymbolicTensor;
  const { averagePooling2d, conv2d, cropping2D } = tfl.layers;
  const conv = (image: Symbolic) => conv2d({ filters: 6, kernelSize: 1 }).apply(image) as Symbolic;
  const half = (image: Symbolic) => logits(averagePooling2d({ poolSize: 2 }).apply(image) as Symbolic);
  const cropped = (image: Symbolic) => logits(cropping2D({ cropping: [[0, 0], [1, 0]] }).apply(image) as Symbolic);
  const [a, b] = [tfl.input({ shape: [4, 4, 1] }), tfl.input({ shape: [4, 4, 1] })];
  const wanted = 'caller: wanted a model [N,H,W,C] -> [N,H,W,C,L], with conditions [N,1], [N,K], [N,h,w,K] or (read by oneHotCodes) [N,h,w,1], or none, got';
  const rows: [model: unknown, got: string][] = [
    [stock((image) => image), '[null,4,5,2] -> [null,4,5,2]'],
    [undefined, 'undefined'],
    [Promise.resolve(), 'a Promise (is an await missing?)'],
    [stock(conv), '[null,4,5,2] -> [null,4,5,6]; end with pixelLogits or logisticMixture'],
    [stock(logits, [4, 5, 1]), '[null,4,5,1] -> [null,4,5,2,3]; pixelLogits needs imageChannels: 1, as the images have'],
    [stock(half, [4, 4, 2]), '[null,4,4,2] -> [null,2,2,2,3]; outputs must have the height and width of the images'],
    [stock(cropped), '[null,4,5,2] -> [null,4,4,2,3]'],
    [tfl.model({ inputs: [a, b], outputs: tfl.layers.add().apply([a, b]) as Symbolic }), ''],
  ];
  for (const [model, got] of rows) expect(() => imageModelShape('caller', model as never), got).toThrow(got === '' ? 'caller: wanted a model' : `${wanted} ${got}`);
  // Not known before a pass.
  expect(() => imageModelShape('caller', stock(half, [null, null, 2]))).not.toThrow();
  expect(() => imageModelShape('caller', stock(cropped, [4, null, 2]))).not.toThrow();
}); // biome-ignore format: a row a line

describe('what a model is conditioned on', () => {
  /** The condition of a graph from an image [H,W,2] and a second input to logits, of these layers. */
  const conditionOf = (second: tfl.SymbolicTensor, layers: tfl.layers.Layer[] = [], shape: (number | null)[] = [1, 3, 2]) => {
    const image = tfl.input({ shape });
    const graph = { inputs: [image, second], outputs: [logits(image)], layers };
    return imageModelShape('caller', graph).conditions[0];
  };

  it('is known by the layer that reads classes, else vectors and maps', () => {
    const label = tfl.input({ shape: [1] });
    const reader = oneHotClass({ numClasses: 4 });
    reader.apply(label);
    expect(conditionOf(label, [reader])).toEqual({ kind: 'class', numClasses: 4 });
    expect(conditionOf(label)).toEqual({ kind: 'vector', size: 1 }); // another graph's
    expect(conditionOf(tfl.input({ shape: [1] }))).toEqual({ kind: 'vector', size: 1 });
    expect(conditionOf(tfl.input({ shape: [2] }))).toEqual({ kind: 'vector', size: 2 });
    expect(conditionOf(tfl.input({ shape: [1, 3, 2] }))).toEqual({ kind: 'map', size: 2 });
    expect(conditionOf(tfl.input({ shape: [null, null, 2] }), [], [null, null, 2])).toEqual({ kind: 'map', size: 2 });
    expect(conditionOf(tfl.input({ shape: [3, 1, 2] }))).toEqual({ kind: 'map', size: 2, shape: [3, 1] });
  });

  /** The conditions of a graph from an image [1,3,2] and these inputs. */
  const conditionsOf = (inputs: tfl.SymbolicTensor[], layers: tfl.layers.Layer[] = []) => {
    const image = tfl.input({ shape: [1, 3, 2] });
    return imageModelShape('caller', { inputs: [image, ...inputs], outputs: [logits(image)], layers }).conditions;
  };

  it('may be several of them, in any order, one of a kind', () => {
    const of = (...shape: number[]) => tfl.input({ shape });
    const [label, vector, map, other] = [of(1), of(4), of(1, 3, 2), of(5)];
    const reader = oneHotClass({ numClasses: 4, nullClass: true });
    reader.apply(label);
    expect(conditionsOf([map, label, vector], [reader])).toEqual([
      { kind: 'map', size: 2 },
      { kind: 'class', numClasses: 4, nullClass: true },
      { kind: 'vector', size: 4 },
    ]);
    expect(() => conditionsOf([vector, label, other], [reader])).toThrow(
      "caller: wanted at most one condition of each kind, got ['vector', 'class', 'vector']",
    );
    expect(() => conditionsOf([label, tfl.input({ shape: [2, 2] })], [reader])).toThrow('caller: wanted a model');
  });

  it('is nothing else', () => {
    for (const shape of [[], [2, 2], [null], [1, 3, null], [1, 1, 3, 2], [null, 1, 2]]) {
      expect(() => conditionOf(tfl.input({ shape }))).toThrow(
        'with conditions [N,1], [N,K], [N,h,w,K] or (read by oneHotCodes) [N,h,w,1], or none',
      );
    }
  });
});
