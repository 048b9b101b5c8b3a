import { type PortableModel, readPortable, sample } from 'pixelcnn-layers/runtime';
import { describe, expect, it } from 'vitest';
import { errorOf } from '../../support/errors';
import type { Case, Edit, Json } from '../../support/models/portable-file';
import { addWeight, edited, expectRefused, fileOf, plain, plainFile, setAt, takeApart, windowOf } from '../../support/models/portable-file';
import { sampled } from '../../support/runs';

/** Programs, and what is refused of their nodes beside what is refused of any. */
interface Kind {
  readonly name: string;
  readonly file: Uint8Array;
  /** For so many images. */
  condition?(numImages: number): Json;
  readonly cases: readonly Case[];
  /** Makes it long: as long as it says usually, and ten times that by `test:all`. */
  readonly long?: readonly [usual: number, edit: (nodes: Json[], count: number) => void];
}

const down = { ...windowOf([2, 3], [1, 1], 'everything'), stride: 2, transposed: false };
const up = { ...windowOf([2, 2], [0, 0], 'B'), stride: 2, transposed: true };
const onePixel = windowOf([1, 1], [0, 0], 'B');
const around = windowOf([3, 3], [1, 1], 'everythingAndBelow');

const levels: Kind = {
  name: 'levels',
  file: fileOf(
    {
      imageShape: [2, 3, 2],
      levels: 3,
      nodes: [
        { op: 'image', size: 2 },
        { op: 'oneHotLevels', size: 6, input: 0, levels: 3 },
        { op: 'embedLevels', size: 8, input: 0, table: 'table' },
        { op: 'conv', size: 6, input: 1, kernel: 'looked', bias: null, window: windowOf([1, 3], [0, 1], 'A', 2) },
        { op: 'conv', size: 6, input: 2, kernel: 'read', bias: null, window: windowOf([1, 3], [0, 1], 'A', 2) },
        { op: 'add', size: 6, inputs: [3, 4] },
      ], // biome-ignore format: a node a line
      output: 5,
    },
    { table: [3, 4], looked: [1, 3, 6, 6], read: [1, 3, 8, 6] },
  ),
  cases: [
    ['one level', 'node 1 (oneHotLevels): levels: wanted an integer of at least 2', { 'nodes.1.levels': 1 }],
    ['too many levels', 'levels: wanted at most 2^24', { 'nodes.1.levels': 2 ** 24 + 1, 'nodes.1.size': 2 ** 25 + 2 }],
    ['much of nothing', 'products a pixel for a file of this size', { 'nodes.1.levels': 65536, 'nodes.1.size': 131072 }],
    ...([[[12], 'shape'], [[3, 2, 2], 'shape [3,2], got [3, 2, 2]']] as const).map(([shape, wanted]): Case =>
      [`a table [${shape}]`, `node 2 (embedLevels): table 'table': wanted ${wanted}`, ({ header }) => (header.table.shape = shape)]),
    ['a table of one level', 'node 2 (embedLevels): levels: wanted an integer of at least 2, got 1', ({ header }) => (header.table.shape = [1, 12])],
  ], // biome-ignore format: a case a line
};

const resolutions: Kind = {
  name: 'several resolutions', // with all that PixelCNN++ is made of
  file: fileOf(
    {
      imageShape: [2, 4, 1],
      levels: 3,
      nodes: [
        { op: 'image', size: 1 },
        { op: 'conv', size: 2, input: 0, kernel: 'first', bias: null, window: windowOf([2, 3], [1, 1], 'everything') },
        { op: 'shift', size: 2, input: 1, rows: 1, columns: 0 }, // u
        { op: 'shift', size: 1, input: 0, rows: 0, columns: 1 }, // ul
        { op: 'concatElu', size: 4, input: 2 },
        { op: 'conv', size: 2, input: 4, kernel: 'down', bias: null, window: down },
        { op: 'glu', size: 1, input: 5, groups: 1 },
        { op: 'conv', size: 1, input: 6, kernel: 'up', bias: null, window: up },
        { op: 'add', size: 1, inputs: [7, 3] },
        { op: 'concat', size: 3, inputs: [8, 2] },
        { op: 'conv', size: 3, input: 9, kernel: 'last', bias: null, window: onePixel },
      ], // biome-ignore format: a node a line
      output: 10,
    },
    { first: [2, 3, 1, 2], down: [2, 3, 4, 2], up: [2, 2, 1, 1], last: [1, 1, 3, 3] },
  ),
  cases: [
    ['a size that they do not divide', 'imageShape: wanted height and width that are multiples of 2, got [3, 4, 1]', { imageShape: [3, 4, 1] }],
    ['one side that they do not', 'imageShape: wanted height and width that are multiples of 2, got [', { imageShape: [null, 3, 1] }],
    ['features of both together', 'node 8 (add): its operands have several resolutions, 2 and 1', { 'nodes.8.inputs': [6, 3] }],
    ['outputs of some pixels only', "output: wanted a node of the image's resolution", { levels: 2, output: 5 }],
    ['outputs that see their own pixel', 'not causal', { 'nodes.3.columns': 0 }],
    ['half a gate', 'node 6 (glu): input: wanted a multiple of 2 * groups (4), got 2', { 'nodes.6.groups': 2 }],
    ['a shift of what is the same at every pixel', 'node 11 (shift): input: wanted features of pixels', ({ program }) => {
      program.conditions = [{ kind: 'vector', size: 1 }];
      program.nodes[3] = { op: 'condition', size: 1, index: 0 };
      program.nodes.push({ op: 'shift', size: 1, input: 3, rows: 0, columns: 1 });
    }],
    ['rows without end', 'products a pixel for a file of this size', ({ program: { nodes } }) => {
      for (let i = 0; i < 200; i++) nodes.push({ op: 'shift', size: 2, input: 1, rows: 16384, columns: 16384 });
    }],
  ], // biome-ignore format: a case a line
};

const places: Kind = {
  name: 'places in row order',
  file: fileOf(
    {
      imageShape: [2, 4, 1],
      levels: 3,
      nodes: [
        { op: 'image', size: 1 },
        { op: 'rasterShift', size: 1, input: 0, start: 'start' },
        { op: 'embedPlaces', size: 1, input: 1, table: 'fine' },
        { op: 'conv', size: 2, input: 2, kernel: 'down', bias: null, window: { ...windowOf([2, 2], [0, 0], 'A'), stride: 2 } },
        { op: 'embedPlaces', size: 2, input: 3, table: 'coarse' },
        { op: 'conv', size: 1, input: 4, kernel: 'up', bias: null, window: { ...windowOf([2, 2], [0, 0], 'B'), stride: 2, transposed: true } },
        { op: 'concat', size: 3, inputs: [2, 5, 5] },
      ], // biome-ignore format: a node a line
      output: 6,
    },
    { start: [1], fine: [2, 4, 1], coarse: [1, 2, 2], down: [2, 2, 1, 2], up: [2, 2, 2, 1] },
  ),
  cases: [
    ['a start of another size', "node 1 (rasterShift): start 'fine': wanted shape [1], got [2, 4, 1]", { 'nodes.1.start': 'fine' }],
    ['a table of other features', "node 2 (embedPlaces): table 'coarse': wanted shape [height, width, 1], got [1, 2, 2]", { 'nodes.2.table': 'coarse' }],
    ['a table of other axes', "node 2 (embedPlaces): table 'start': wanted shape [height, width, 1], got [1]", { 'nodes.2.table': 'start' }],
    ['a table of a lower map', 'node 2 (embedPlaces): table: height and width: wanted [4,4], got [2, 4, 1]', { imageShape: [4, 4, 1] }],
    ['a table of a narrower map', 'node 2 (embedPlaces): table: height and width: wanted [2,2], got [2, 4, 1]', { imageShape: [2, 2, 1] }],
    ['a table of images of any size', 'node 2 (embedPlaces): table: height and width: wanted [,], got [2, 4, 1]', { imageShape: [null, null, 1] }],
    ['a coarse table of a fine map', 'node 4 (embedPlaces): table: height and width: wanted [2,4], got [1, 2, 2]', { 'nodes.3': { op: 'concat', size: 2, inputs: [2, 2] }, 'nodes.5': { op: 'conv', size: 1, input: 4, kernel: 'up', bias: null, window: windowOf([2, 2], [1, 1], 'A') }, 'nodes.6': { op: 'conv', size: 2, input: 2, kernel: 'down', bias: null, window: windowOf([2, 2], [1, 1], 'A') }, 'nodes.7': { op: 'concat', size: 3, inputs: [5, 6] }, output: 7 }],
    ['a shift of what is the same at every pixel', 'node 2 (rasterShift): input: wanted features of pixels', { conditions: [{ kind: 'vector', size: 1 }], 'nodes.1': { op: 'condition', size: 1, index: 0 }, 'nodes.2': { op: 'rasterShift', size: 1, input: 1, start: 'start' } }],
    ['features that see their own pixel', 'output: the model is not causal', { 'nodes.2.input': 0 }],
  ], // biome-ignore format: a case a line
};

const attention: Kind = {
  name: 'attention',
  file: fileOf(
    {
      imageShape: [3, 4, 1],
      levels: 3,
      nodes: [
        { op: 'image', size: 1 },
        { op: 'conv', size: 4, input: 0, kernel: 'before', bias: null, window: windowOf([1, 3], [0, 1], 'A') },
        { op: 'concat', size: 4, inputs: [0, 0, 0, 0] },
        { op: 'attend', size: 4, inputs: [1, 2, 2], heads: 2 },
        { op: 'conv', size: 3, input: 3, kernel: 'last', bias: null, window: onePixel },
      ], // biome-ignore format: a node a line
      output: 4,
    },
    { before: [1, 3, 1, 4], last: [1, 1, 4, 3] },
  ),
  cases: [
    ['no values', 'node 3 (attend): inputs: wanted 3, got 2', { 'nodes.3.inputs': [1, 2] }],
    ['four operands', 'node 3 (attend): inputs: wanted 3, got 4', { 'nodes.3.inputs': [1, 2, 2, 2] }],
    ['operands of several sizes', 'node 3 (attend): inputs: wanted queries and keys of equal size, got [4, 1]', { 'nodes.3.inputs': [1, 0, 2] }],
    ['a place that sees itself, and so its own pixel', 'output: the model is not causal', { 'nodes.3.own': true }],
    ['what is neither', "node 3 (attend): own: wanted true or false, got 'yes'", { 'nodes.3.own': 'yes' }],
    ['heads that do not split them', 'node 3 (attend): queries: wanted a multiple of heads (3), got 4', { 'nodes.3.heads': 3 }],
    ['a query that sees its own pixel', 'output: the model is not causal', { 'nodes.3.inputs': [2, 2, 2] }],
    ['more keys and values than memory has', 'node 3 (attend): height, width, keys and values of the image: wanted sizes whose product is at most 268435456, got [16777216, 40]', { imageShape: [4096, 4096, 1], 'nodes.2': { op: 'concat', size: 20, inputs: [1, 1, 1, 1, 1] }, 'nodes.3': { op: 'attend', size: 20, inputs: [2, 2, 2], heads: 1 } }],
    ['more values than memory has, of narrow keys', 'node 3 (attend): height, width, keys and values of the image: wanted sizes whose product is at most 268435456, got [16777216, 44]', { imageShape: [4096, 4096, 1], 'nodes.2': { op: 'concat', size: 40, inputs: new Array(10).fill(1) }, 'nodes.3': { op: 'attend', size: 40, inputs: [1, 1, 2], heads: 1 } }],
    ['more places than such a file plausibly attends to', 'node 3 (attend): wanted at most 69632 products a pixel for a file of this size, got', { imageShape: [512, 512, 1] }],
    ['what is the same at every pixel', 'node 3 (attend): input: wanted features of pixels', { conditions: [{ kind: 'vector', size: 4 }], 'nodes.2': { op: 'condition', size: 4, index: 0 } }],
  ], // biome-ignore format: a case a line
};

const lstm: Kind = {
  name: 'an LSTM',
  file: fileOf(
    {
      imageShape: [3, 4, 2],
      levels: 3,
      nodes: [
        { op: 'image', size: 2 },
        { op: 'conv', size: 8, input: 0, kernel: 'gates', bias: null, window: windowOf([1, 1], [0, 0], 'B', 2) },
        { op: 'lstm', size: 2, input: 1, kernel: 'states', kernelSize: [2, 1], path: 'fromLeft', groups: 2 },
        { op: 'conv', size: 6, input: 2, kernel: 'last', bias: null, window: windowOf([1, 1], [0, 0], 'A', 2) },
      ], // biome-ignore format: a node a line
      output: 3,
    },
    { gates: [1, 1, 2, 8], states: [2, 1, 2, 8], last: [1, 1, 2, 6] },
  ),
  cases: [
    ['no such path', "node 2 (lstm): path: wanted 'rows' or 'fromLeft' or 'fromRight', got 'columns'", { 'nodes.2.path': 'columns' }],
    ['from the right, unshifted', 'output: the model is not causal', { 'nodes.2.path': 'fromRight' }],
    ['a kernel of another path', 'node 2 (lstm): kernelSize: wanted [1,k] with k odd, got [2, 1]', { 'nodes.2.path': 'rows' }],
    ['an even kernel', 'node 2 (lstm): kernelSize: wanted [1,k] with k odd, got [1, 2]', { 'nodes.2.path': 'rows', 'nodes.2.kernelSize': [1, 2] }],
    ['three pixels', 'node 2 (lstm): kernelSize: wanted [2,1], got [3, 1]', { 'nodes.2.kernelSize': [3, 1] }],
    ['three columns', 'node 2 (lstm): kernelSize: wanted [2,1], got [2, 3]', { 'nodes.2.kernelSize': [2, 3] }],
    ['a kernel of no size', 'node 2 (lstm): kernelSize: wanted an integer of at least 1, got 0', { 'nodes.2.kernelSize': [2, 0] }],
    ['a kernel of one number', 'node 2 (lstm): kernelSize: wanted 2 items, got [2]', { 'nodes.2.kernelSize': [2] }],
    ['another kernel', "node 2 (lstm): kernel 'gates': wanted shape [2,1,2,8], got [1, 1, 2, 8]", { 'nodes.2.kernel': 'gates' }],
    ['groups that do not split it', 'node 2 (lstm): input: wanted a multiple of 4 * groups (12), got 8', { 'nodes.2.groups': 3 }],
    ['what is the same at every pixel', 'node 2 (lstm): input: wanted features of pixels', { conditions: [{ kind: 'vector', size: 8 }], 'nodes.1': { op: 'condition', size: 8, index: 0 } }],
    ['states of large kernels again and again', 'products a pixel for a file of this size', (parts) => {
      addWeight(parts, 'wide', [1, 1, 2, 512], Array(1024).fill(0));
      addWeight(parts, 'large', [1, 1, 128, 512], Array(65_536).fill(0));
      const { nodes } = parts.program;
      nodes.push({ op: 'conv', size: 512, input: 0, kernel: 'wide', bias: null, window: onePixel });
      for (let i = 0; i < 90; i++)
        nodes.push({ op: 'lstm', size: 128, input: 4, kernel: 'large', kernelSize: [1, 1], path: 'rows', groups: 1 });
    }],
  ], // biome-ignore format: a case a line
  long: [
    300,
    (nodes, count) => {
      const whole = nodes.push({ op: 'shift', size: 8, input: 1, rows: 1, columns: 0 }) - 1; // goes over whole rows at once
      const inputs = Array.from({ length: count }, () => nodes.push({ ...nodes[2], input: whole, path: 'fromRight', groups: 1 }) - 1);
      const sum = nodes.push({ op: 'add', size: 2, inputs }) - 1;
      nodes.push({ ...nodes[3], input: sum });
    },
  ], // biome-ignore format: a node a line
};

/** Changes the window that looks around. */
const inAround = (fields: object): Edit => ({ 'nodes.4.window': { ...around, ...fields } });

const codes: Kind = {
  name: 'a network on codes',
  file: fileOf(
    {
      imageShape: [2, 6, 1],
      levels: 3,
      conditions: [
        { kind: 'codes', levels: 2, shape: [1, 2] },
        { kind: 'class', numClasses: 2 },
      ],
      nodes: [
        { op: 'image', size: 1 },
        { op: 'conv', size: 2, input: 0, kernel: 'before', bias: null, window: windowOf([1, 3], [0, 1], 'A') },
        { op: 'condition', size: 1, index: 0 },
        { op: 'oneHot', size: 2, input: 2 },
        { op: 'conv', size: 2, input: 3, kernel: 'around', bias: null, window: around },
        { op: 'upsample', size: 2, input: 4, rows: 2, columns: 3 },
        { op: 'position', size: 2, input: 1 },
        { op: 'concat', size: 6, inputs: [1, 5, 6] },
        { op: 'conv', size: 3, input: 7, kernel: 'last', bias: null, window: onePixel },
        { op: 'condition', size: 1, index: 1 },
      ], // biome-ignore format: a node a line
      output: 8,
    },
    { before: [1, 3, 1, 2], around: [3, 3, 2, 2], last: [1, 1, 6, 3] },
  ),
  condition: (n) => ({ class: 1, codes: { data: Array.from({ length: 2 * n }, (_, i) => i % 2), shape: [n, 1, 2] } }),
  cases: [
    ['one code', 'conditions: 0: levels: wanted an integer from 2 to 16777216, got 1', { 'conditions.0.levels': 1 }],
    ['codes without a shape', "conditions: 0: wanted a field 'shape'", { 'conditions.0.shape': undefined }],
    ['codes of one axis', 'conditions: 0: shape: wanted 2 items, got [2]', { 'conditions.0.shape': [2] }],
    ['codes of no rows', 'conditions: 0: shape: wanted an integer from 1 to 16384, got 0', { 'conditions.0.shape': [0, 2] }],
    ['codes of any size', 'conditions: 0: shape: wanted an integer from 1 to 16384, got null', { 'conditions.0.shape': [null, null] }],
    ['codes with a size', 'conditions: 0: wanted no fields but', { 'conditions.0.size': 1 }],
    ['more codes than any image has', 'conditions: 0: shape: wanted at most 16777216 values (maxValues), got 268435456', { 'conditions.0.shape': [16384, 16384] }],
    ['codes that do not become the image', 'node 7 (concat): its operands are maps of several sizes, [2,6] and [2,9]', { 'conditions.0.shape': [1, 3] }],
    ['codes that become a taller image', 'node 7 (concat): its operands are maps of several sizes, [2,6] and [4,6]', { 'conditions.0.shape': [2, 2] }],
    ['codes of which the image is of any size', 'node 7 (concat): its operands are maps of several sizes, [,] and [2,6]', { imageShape: [null, null, 1] }],
    ['codes larger than the image', 'node 2: map: wanted one no larger than the image, got [3, 2]', { 'conditions.0.shape': [3, 2], 'nodes.7.inputs': [1, 6, 1] }],
    ['codes that two nodes are', 'node 9 (condition): index: wanted one of 2 conditions, each read by one node, got 0', { 'nodes.9.index': 0 }],
    ['a map of no rows', 'conditions: 0: shape: wanted an integer from 1 to 16384, got 0', { 'conditions.0': { kind: 'map', size: 1, shape: [0, 2] } }],
    ['a map that does not become the image', 'node 7 (concat): its operands are maps of several sizes, [2,6] and [2,9]', ({ program }) => {
      program.conditions[0] = { kind: 'map', size: 2, shape: [1, 3] };
      Object.assign(program.nodes[2] as object, { size: 2 });
      program.nodes[3] = { op: 'pointwise', size: 2, input: 2, fn: 'relu', parameter: 0 };
    }],
    ['the log of what may be 0', 'node 3 (pointwise): parameter: wanted a number above 0', { 'nodes.3': { op: 'pointwise', size: 1, input: 2, fn: 'log', parameter: 0 } }],
    ['a log from beyond float32', 'node 3 (pointwise): parameter: wanted a number above 0', { 'nodes.3': { op: 'pointwise', size: 1, input: 2, fn: 'log', parameter: 1e300 } }],
    ['two maps of codes', 'at most one condition of each kind', { 'conditions.1': { kind: 'codes', levels: 2, shape: [1, 2] } }],
    ['columns without end', 'node 5 (upsample): columns: wanted an integer from 1 to 16384, got 16385', { 'nodes.5.columns': 16385 }],
    ['features that do not spread over these places', 'node 5 (upsample): input: wanted a multiple of rows * columns (6), got 2', { 'nodes.5.spread': true }],
    ['no rows of places', 'node 5 (upsample): rows: wanted an integer from 1 to 16384, got 0', { 'nodes.5.rows': 0 }],
    ['an enlarged class', 'node 10 (upsample): input: wanted features of pixels', { 'nodes.10': { op: 'upsample', size: 1, input: 9, rows: 2, columns: 2 } }],
    ['an enlarged image', 'node 5 (upsample): its input depends on the image', { 'nodes.5': { op: 'upsample', size: 2, input: 1, rows: 1, columns: 1 } }],
    ['places that overflow', 'node 10: map: wanted one no larger than the image, got [16384, 2]', ({ program: { nodes } }) => {
      for (let i = 0; i < 100; i++) nodes.push({ op: 'upsample', size: 2, input: i === 0 ? 4 : nodes.length - 1, rows: 16384, columns: 1 });
    }],
    ['positions of a class', 'node 10 (position): input: wanted features of pixels', { 'nodes.10': { op: 'position', size: 2, input: 9 } }],
    ['positions of codes beside the image', 'node 7 (concat): its operands are maps of several sizes, [2,6] and [1,2]', { 'nodes.6.input': 3 }],
    ['a look around in the image', 'node 1 (conv): its input depends on the image', { 'nodes.1.window.present': 'everythingAndBelow' }],
    ['a look around in the image and codes', 'node 11 (conv): its input depends on the image', ({ program: { nodes } }) => nodes.push({ op: 'add', size: 2, inputs: [1, 5] }, { ...nodes[4], input: 10 })],
    ['a look around in a class', 'node 11 (conv): window: wanted 1x1 of stride 1, since its input is the same at every pixel', ({ program: { nodes } }) => nodes.push({ op: 'oneHot', size: 2, input: 9 }, { ...nodes[4], input: 10 })],
    ['a look around by strides', 'node 4 (conv): window: stride: wanted 1, not transposed', inAround({ stride: 2 })],
    ['a look around, transposed', 'node 4 (conv): window: stride: wanted 1, not transposed', inAround({ transposed: true })],
    ['an anchor below the kernel', 'node 4 (conv): window: anchor: wanted an integer from 0 to 2, got 3', inAround({ anchor: [3, 1] })],
    ['outputs of another size', 'output): a map of another size', { levels: 2, output: 4 }],
    ['more maps than memory has', 'nodes: numbers of all maps that come before the image: wanted sizes whose product is at most 268435456, got [', ({ program: { nodes, imageShape, conditions } }) => {
      for (const shape of [imageShape, conditions[0].shape]) shape.splice(0, 2, 4096, 4096);
      Object.assign(nodes[5], { rows: 1, columns: 1 });
      for (let i = 0; i < 9; i++) nodes.push({ ...nodes[4], input: i === 0 ? 4 : nodes.length - 1 });
      nodes.push({ op: 'add', size: 2, inputs: [1, nodes.length - 1] });
    }],
  ], // biome-ignore format: a case a line
  long: [
    150,
    (nodes, count) => {
      // Looks around as often as it is long, with a map enlarged at every step.
      const tips: number[] = [];
      let input = 4;
      for (let i = 0; i < count; i++) {
        input = nodes.push({ op: 'pointwise', size: 2, input, fn: 'tanh', parameter: 0 }) - 1;
        tips.push(nodes.push({ ...nodes[5], input }) - 1);
        input = nodes.push({ ...nodes[4], input }) - 1;
      }
      const sum = nodes.push({ op: 'add', size: 2, inputs: tips }) - 1;
      const all = nodes.push({ op: 'concat', size: 6, inputs: [1, sum, 6] }) - 1;
      nodes.push({ ...nodes[8], input: all });
    },
  ],
};

const file = plainFile();

const ofPlain: Kind = {
  name: 'plain operations',
  file,
  condition: (n) => ({ data: Array.from({ length: 2 * n }, (_, i) => i % 2), shape: [n, 2] }),
  cases: [
    ...([null, 1, 'image', [], {}, { op: 'constructor' }, { op: '__proto__' }, { op: 'matmul' }, { op: { toString: 1 } }] as const).map((node): Case =>
      [`the node ${JSON.stringify(node)}`, 'node 11: op: wanted image or condition or', { 'nodes.11': node }]),
    ['no operands', 'node 5 (concat): inputs: wanted at least one', { 'nodes.5.inputs': [] }],
    ['operands of several sizes', 'node 11 (add): inputs: wanted features of equal size', { 'nodes.11.inputs': [7, 0] }],
    ['the image a second time', 'node 3 (image): wanted the image as the first node', { 'nodes.3': plain[0] }],
    ['no image', 'node 0 (condition): wanted the image as the first node', { 'nodes.0': plain[1] }],
    ['a condition twice', 'node 2 (condition): index: wanted one of 1 conditions, each read by one node', { 'nodes.2': plain[1] }],
    ['half a group of a gate', 'node 4 (gate): input: wanted a multiple of 2 * groups (6), got 4', { 'nodes.4.groups': 3 }],
    ['groups of a softmax that do not split its input', 'node 12 (logSoftmax): input: wanted a multiple of groups (3), got 4', { 'nodes.12.groups': 3 }],
    ['a softmax that lets a channel see the next one', 'output: the model is not causal: its logits of channel 0 see that channel or a later one', { 'nodes.12.groups': 1 }],
    ['an epsilon below 0', 'node 10 (normalize): epsilon', { 'nodes.10.epsilon': -1 }],
    ['half a group of a normalization', 'node 10 (normalize): input: wanted a multiple of groups (3), got 4', { 'nodes.10.groups': 3 }],
    ['one of several features', 'node 9 (oneHot): input: wanted one feature, got 2', { 'nodes.9.input': 1 }],
    ['a huge class', 'products a pixel for a file of this size', { 'nodes.9.size': 1e9 }],
    ['a scale of another shape', "node 6 (affine): scale 'first': wanted shape [4], got [2, 3, 2, 4]", { 'nodes.6.scale': 'first' }],
    ['a bias of another shape', "node 2 (conv): bias 'first': wanted shape [4]", { 'nodes.2.bias': 'first' }],
    ['a kernel of another shape', "node 2 (conv): kernel 'project': wanted shape [2,3,2,1]", { 'nodes.2.kernel': 'project' }],
    ['a kernel of another rank', "node 2 (conv): kernel 'bias': wanted shape [2,3,2,0]", { 'nodes.2.kernel': 'bias' }],
    ['a kernel of another size', "node 2 (conv): kernel 'first': wanted shape [3,2,2,4]", { 'nodes.2.window.kernelSize': [3, 2] }],
    ['a window of no rows', 'node 2 (conv): window: kernelSize: wanted an integer', { 'nodes.2.window.kernelSize': [0, 3] }],
    ['a window of three sides', 'node 2 (conv): window: kernelSize: wanted 2 items', { 'nodes.2.window.kernelSize': [2, 3, 1] }],
    ['an anchor outside', 'node 2 (conv): window: anchor: wanted an integer from 0 to 2', { 'nodes.2.window.anchor': [1, 3] }],
    ['an anchor above', 'node 2 (conv): window: anchor: wanted an integer from 0 to 1', { 'nodes.2.window.anchor': [-1, 1] }],
    ['channels that do not divide', 'node 2 (conv): input features: wanted a multiple of imageChannels (3)', { 'nodes.2.window.imageChannels': 3 }],
    ['channels that do not divide outputs', 'node 2 (conv): size: wanted 4, got 3', { 'nodes.2.size': 3 }],
    ['another stride', 'node 2 (conv): window: stride: wanted 1 or 2, got 3', { 'nodes.2.window.stride': 3 }],
    ['a stride that the image has no room for', 'imageShape: wanted height and width that are multiples of 2, got [2, 3, 2]', { 'nodes.2.window.stride': 2 }],
    ['a window of the image that enlarges it', "node 2 (conv): its resolution is finer than the image's", { 'nodes.2.window.transposed': true, 'nodes.2.window.stride': 2 }],
    ['a stride over what has no place', 'node 8 (conv): window: wanted 1x1 of stride 1, since its input is the same at every pixel', { 'nodes.8.window.stride': 2 }],
    ['a window of what has no place', 'node 8 (conv): window: wanted 1x1 of stride 1, since its input is the same at every pixel', (parts) => {
      addWeight(parts, 'wide', [1, 3, 2, 1], [1, 2, 3, 4, 5, 6]);
      Object.assign(parts.program.nodes[8], { kernel: 'wide', window: windowOf([1, 3], [0, 1], 'B') });
    }],
    ['mask B on the image', 'not causal: its logits of channel 0 see', { 'nodes.2.window.present': 'B' }],
    ['a whole row of the image', 'not causal: its logits of channel 0 see', { 'nodes.2.window.present': 'everything' }],
    ['channels mixed', 'not causal: its logits of channel 0 see', { 'nodes.10.input': 6, 'nodes.10.groups': 1 }],
    ['a slice of more than there is', 'node 13 (slice): size: wanted an integer from 1 to 4, got 5', { 'nodes.13': { op: 'slice', size: 5, input: 12, start: 0 } }],
    ['a slice that ends too late', 'node 13 (slice): start: wanted an integer from 0 to 2, got 3', { 'nodes.13': { op: 'slice', size: 2, input: 12, start: 3 } }],
  ], // biome-ignore format: a case a line
  long: [
    12_000, // deeper than calls may be nested
    (nodes, count) => {
      for (let i = 0; i < Math.min(count, 20_000); i++)
        nodes.push({ op: 'pointwise', size: 4, input: nodes.length - 1, fn: 'tanh', parameter: 0 });
    },
  ],
};

const kinds: Kind[] = [ofPlain, levels, resolutions, places, attention, lstm, codes];

/** What no field may be, whatever it is for; but null, of a bias. */
const nonsense = [null, true, {}, 'constructor', '__proto__'];

/** Fields that take any number. */
const anyNumber = ['parameter', 'epsilon'];

/** Each way in which a node can be wrong by itself: what is set, and what is then said. */
function* wrongFields(node: Json, index: number): Generator<[fields: Json, message: string]> {
  const { op, ...fields } = node;
  const what = `node ${index} (${op})`;
  for (const name of ['more', '__proto__']) yield [{ [name]: 1 }, `${what}: wanted no fields but`];
  for (const [name, value] of Object.entries<Json>(fields)) {
    yield [{ [name]: undefined }, `${what}: wanted a field '${name}'`];
    for (const none of nonsense) if (name !== 'bias' || none !== null) yield [{ [name]: none }, `${what}: ${name}: wanted`];
    if (typeof value === 'number' && !anyNumber.includes(name))
      for (const none of [-1, 0.5, 2 ** 53]) yield [{ [name]: none }, `${what}: ${name}: wanted`];
    if (['groups', 'heads', 'levels', 'size'].includes(name)) yield [{ [name]: 0 }, `${what}: ${name}: wanted an integer`];
  } // biome-ignore format: a case a line
  const later = `${what}: input: wanted an integer from 0 to ${index - 1}, got ${index}`;
  if ('input' in node) yield [{ input: index }, later];
  for (const i of node.inputs?.keys() ?? []) yield [{ inputs: node.inputs.with(i, index) }, later];
  if (op === 'conv') {
    yield [{ window: { ...node.window, rotation: 1 } }, `${what}: window: wanted no fields but`];
    yield [{ window: { ...node.window, dilation: [1, 0] } }, `${what}: window: dilation: wanted an integer of at least 1`];
    yield [{ window: { ...node.window, groups: 0 } }, `${what}: window: groups: wanted an integer of at least 1`];
    for (const name of Object.keys(node.window)) {
      const { [name]: left, ...rest } = node.window;
      yield [{ window: rest }, `${what}: window: wanted a field '${name}'`];
      for (const none of [null, {}, 'constructor', typeof left === 'boolean' ? 1 : true])
        yield [{ window: { ...rest, [name]: none } }, `${what}: window: ${name}: wanted`];
    }
  } else if (op !== 'oneHot' && op !== 'slice') yield [{ size: node.size + 1 }, `${what}: size: wanted ${node.size}, got ${node.size + 1}`];
}

describe.each(kinds)('a file of $name', ({ file, condition, cases, long }) => {
  const draw = (bytes: Uint8Array, numImages: number) =>
    sample(readPortable(bytes), { numImages, seed: 1, ...(condition && { condition: condition(numImages) }) });

  it('is read, and every level drawn by it', async () => {
    const { data } = await draw(file, 9);
    expect(new Set(data).size).toBe(readPortable(file).levels);
  });

  it('is refused where a field of a node is missing, too many, nonsense or of a later node', () => {
    const { nodes } = takeApart(file).program;
    for (const [index, node] of nodes.entries())
      for (const [fields, message] of wrongFields(node, index))
        expectRefused(
          edited(file, ({ program }) => setAt(program.nodes[index], fields)),
          message,
        );
  });

  it.each(cases)('is refused: %s', (_, message, edit) => {
    expectRefused(edited(file, edit), message);
  });

  it('is drawn from alike however far behind the image the taps of its kernels are', async () => {
    for (const [index, { op, window }] of takeApart(file).program.nodes.entries()) {
      if (op !== 'conv' || window.stride > 1 || window.transposed) continue;
      const apart = (rate: number) => edited(file, ({ program }) => setAt(program.nodes[index], { 'window.dilation': [rate, rate] }));
      expect(await draw(apart(2 ** 30), 2)).toEqual(await draw(apart(100), 2));
    }
  });

  it.runIf(long)('takes a time of the order of its length, however long', async () => {
    const [usual, lengthen] = long as NonNullable<Kind['long']>;
    const bytes = edited(file, ({ program }) => {
      lengthen(program.nodes, sampled(10 * usual, usual).length);
      program.output = program.nodes.length - 1;
    });
    expect((await draw(bytes, 1)).data).toHaveLength((await draw(file, 1)).data.length);
  });
});

describe('a program', () => {
  const fields: [field: string, nothing: unknown][] = [
    ['imageShape', {}], ['levels', '2'], ['conditions', {}], ['nodes', { length: 2 }], ['output', 1.5], ['output', 13],
    ['distribution', null],
  ]; // biome-ignore format: in few lines

  it.each(fields)('is refused where its %s is %o, or missing', (field, nothing) => {
    expectRefused(edited(file, { [field]: nothing }), new RegExp(`^readPortable: ${field}: (kind: )?wanted`));
    if (field !== 'distribution') expectRefused(edited(file, { [field]: undefined }), `program: wanted a field '${field}'`);
  });

  const mixture = (components: number) => ({ kind: 'logisticMixture', components });
  const cases: Case[] = [
    ['a further field', 'program: wanted no fields but', { more: 1 }],
    ['an image of two sides', 'imageShape: wanted 3 items', { imageShape: [2, 3] }],
    ['an image of no rows', 'imageShape: wanted an integer', { 'imageShape.0': 0 }],
    ['channels unknown', 'imageShape: wanted an integer', { 'imageShape.2': null }],
    ['a huge image', 'imageShape: wanted at most 16777216 values', { imageShape: [16384, 16384, 2] }],
    ['a long image', 'imageShape: wanted an integer from 1 to 16384', { imageShape: [null, 1e9, 2] }],
    ['other channels', 'node 0 (image): size: wanted 3, got 2', { 'imageShape.2': 3 }],
    ...[1, 2 ** 24 + 1, 2.5].map((levels): Case => [`${levels} levels`, 'levels: wanted an integer from 2', { levels }]),
    ['other levels', 'output: wanted a node of 6 numbers, for a softmax of 2 channels and 3 levels, got 4', { levels: 3 }],
    ['a distribution that is none', "distribution: kind: wanted 'softmax' or 'logisticMixture' or 'gaussian', got 'poisson'", { distribution: { kind: 'poisson' } }],
    ['a distribution with more to it', 'distribution: wanted no fields but kind', { distribution: { kind: 'softmax', components: 2 } }],
    ['a mixture of nothing', 'distribution: components: wanted an integer of at least 1, got 0', { distribution: mixture(0) }],
    ['a mixture of too many for so many levels', 'distribution: levels times components: wanted at most 16777216 values (maxValues), got 17825792', { levels: 2 ** 20, distribution: mixture(17) }],
    ['a mixture of other parameters', 'output: wanted a node of 6 numbers, for a logisticMixture of 2 channels and 2 levels, got 4', { distribution: mixture(1) }],
    ['a mixture whose first channel sees itself', 'output: the model is not causal: its parameters of channel 0 see that channel or a later one', { distribution: mixture(1), output: 13, 'nodes.13': { op: 'concat', size: 6, inputs: [12, 4] } }],
    ...['0', 0.5, 2 ** 24 + 1, null].map((offset): Case => [`a Gaussian of the offset ${offset}`, 'distribution: offset: wanted an integer from -16777216 to 16777216, got', { distribution: { kind: 'gaussian', offset } }]),
    ['a Gaussian of more than its offset', "distribution: wanted no fields but kind, offset, got 'components'", { distribution: { kind: 'gaussian', offset: 0, components: 2 } }],
    ['a Gaussian of other parameters', 'output: wanted a node of 4 numbers, for a gaussian of 2 channels and 2 levels, got 2', { distribution: { kind: 'gaussian', offset: 0 }, output: 0 }],
    ['a Gaussian whose first channel sees itself', 'output: the model is not causal: its parameters of channel 0 see that channel or a later one', { distribution: { kind: 'gaussian', offset: 0 }, output: 13, 'nodes.13': { op: 'concat', size: 4, inputs: [0, 0] } }],
    ['two conditions of a kind', "conditions: wanted at most one condition of each kind, got ['vector', 'vector']", { 'conditions.1': { kind: 'vector', size: 2 } }],
    ['a condition by its node read as another', 'node 1 (condition): size: wanted 3, got 2', { conditions: [{ kind: 'map', size: 3 }, { kind: 'vector', size: 2 }] }],
    ['a null class that is none', 'conditions: 0: nullClass: wanted true, or no such field, got false', { conditions: [{ kind: 'class', numClasses: 2, nullClass: false }] }],
    ['a null class of vectors', "conditions: 0: wanted no fields but kind, size, got 'nullClass'", { 'conditions.0.nullClass': true }],
    ['no conditions', 'node 1 (condition): index: wanted one of 0 conditions', { conditions: [] }],
    ['a condition of another kind', 'conditions: 0: kind', { 'conditions.0.kind': 'other' }],
    ['a condition that is none', 'conditions: 0: kind', { 'conditions.0': null }],
    ['a condition of too many numbers', 'conditions: 0: size', { 'conditions.0.size': 2 ** 30 }],
    ['too many classes', 'conditions: 0: numClasses', { conditions: [{ kind: 'class', numClasses: 2 ** 25 }] }],
    ['a class', 'node 1 (condition): size: wanted 1, got 2', { conditions: [{ kind: 'class', numClasses: 2 }] }],
    ['no nodes', "weight 'first': wanted one that a node uses", { nodes: [] }],
    ['an output that sees its own values', 'output: wanted a node of 4 numbers', { output: 0 }],
  ]; // biome-ignore format: a case a line

  it.each(cases)('is refused: %s', (_, message, edit) => {
    expectRefused(edited(file, edit), message);
  });

  const doubled: Edit = ({ program: { nodes } }) => {
    for (let size = 8; nodes.length < 80; size *= 2) nodes.push({ op: 'concat', size, inputs: [nodes.length - 1, nodes.length - 1] });
  };
  const bombs: Case[] = [
    ['features doubled again and again', 'products a pixel for a file of this size', doubled],
    ['one node a million times', 'products a pixel for a file of this size', { 'nodes.13': { op: 'concat', size: 4e6, inputs: Array(1e6).fill(3) } }],
    ['many large classes', 'products a pixel for a file of this size', ({ program: { nodes } }) => {
      for (let i = 0; i < 3000; i++) nodes.push({ op: 'oneHot', size: 2 ** 20, input: 8 });
    }],
    ['channels without end', 'imageShape: wanted an integer from 1 to 16384', { imageShape: [1, 1, 2 ** 24], 'nodes.0.size': 2 ** 24 }],
    ['more parameters than could be listed', 'output: wanted a node of 137464120320 numbers', (parts) => { // 1024 (1 + 2 C + C (C - 1) / 2)
      setAt(parts.program, { imageShape: [1, 1, 2 ** 14], conditions: [], nodes: [{ op: 'image', size: 2 ** 14 }], output: 0, distribution: mixture(1024) });
      parts.header = { __metadata__: parts.header.__metadata__ };
      parts.data = new Uint8Array();
    }],
    ['one large kernel again and again', 'products a pixel for a file of this size', (parts) => {
      const { nodes } = parts.program;
      addWeight(parts, 'wide', [1, 1, 64, 64], Array(4096).fill(0));
      nodes.push({ op: 'oneHot', size: 64, input: 8 });
      for (let i = 0; i < 5000; i++)
        nodes.push({ op: 'conv', size: 64, input: nodes.length - 1, kernel: 'wide', bias: null, window: onePixel });
    }],
  ]; // biome-ignore format: a case a line

  it.each(bombs)('that would be long, in a short file, is refused: %s', (_, message, edit) => {
    expectRefused(edited(file, edit), message);
  });

  it('is read if the file is long enough for its computation', () => {
    const size = 2 ** 17;
    const long = edited(file, (parts) => {
      const { nodes } = parts.program;
      addWeight(parts, 'long', [1, 1, 1, size], Array(size).fill(0));
      const input = nodes.push({ op: 'conv', size, input: 8, kernel: 'long', bias: null, window: onePixel }) - 1;
      for (const groups of [1, 2, size / 2, size]) nodes.push({ op: 'softmax', size, input, groups });
    });
    expect(readPortable(long).nodes).toHaveLength(plain.length + 5);
  });
});

describe('maps before the image', () => {
  const condition = codes.condition?.(1);

  it('are no larger than the caller allows', () => {
    // A map of 1x2, enlarged to 2x6, of which the image, of any size, reads nothing.
    const any = edited(codes.file, { imageShape: [null, null, 1], 'nodes.7.inputs': [1, 1, 1] });
    expect(readPortable(any, { maxValues: 12 }).imageShape).toEqual([null, null, 1]);
    expectRefused(any, 'node 5: map: wanted at most 11 values (maxValues), got 12', { maxValues: 11 });
    expectRefused(any, 'conditions: 0: shape: wanted at most 1 values (maxValues), got 2', { maxValues: 1 });
  });

  it('are looked at from any place of the kernel, of any groups', async () => {
    const draw = async (edit: Edit) => Array.from((await sample(readPortable(edited(codes.file, edit)), { seed: 1, condition })).data);
    const expected = await draw({});
    expect(await draw(inAround({ imageChannels: 2 }))).toEqual(expected); // hides no channel
    const pairs = [[0, 0], [2, 2], [0, 2]]; // biome-ignore format: a line
    for (const anchor of pairs) expect(await draw(inAround({ anchor }))).toHaveLength(12);
  });

  it('take no memory where they are only enlarged', () => {
    const large = edited(codes.file, ({ program: { nodes, imageShape } }) => {
      imageShape.splice(0, 2, 4096, 4096);
      Object.assign(nodes[5], { rows: 4096, columns: 2048 });
      const inputs = [5];
      for (let i = 0; i < 20; i++) inputs.push(nodes.push({ ...nodes[5] }) - 1);
      nodes.push({ op: 'add', size: 2, inputs });
    });
    expect(readPortable(large).imageShape).toEqual([4096, 4096, 1]);
  });
});

describe('several resolutions', () => {
  const anySize = { imageShape: [null, null, 1] };

  it('draw images of any size that they divide', async () => {
    const model = readPortable(edited(resolutions.file, anySize));
    const { shape } = await sample(model, { imageShape: [4, 2, 1], seed: 1 });
    expect(shape).toEqual([1, 4, 2, 1]);
    const imageShape = [4, 5, 1] as const;
    await expect(sample(model, { imageShape, seed: 1 })).rejects.toThrow(
      new TypeError('imageShape: wanted height and width that are multiples of 2, got [4, 5, 1]'),
    );
  });

  it('are halved as often as the file is long, beyond all numbers', async () => {
    const halved = edited(resolutions.file, (parts) => {
      setAt(parts.program, anySize);
      const { nodes } = parts.program;
      for (let i = 0; i < 1100; i++) {
        const [input, kernel] = i === 0 ? [2, 'once'] : [nodes.length - 1, 'twice'];
        nodes.push({ op: 'conv', size: 1, input, kernel, bias: null, window: { ...onePixel, stride: 2 } });
      }
      addWeight(parts, 'once', [1, 1, 2, 1], [1, 1]);
      addWeight(parts, 'twice', [1, 1, 1, 1], [1]);
    });
    await expect(sample(readPortable(halved), { imageShape: [4, 4, 1], seed: 1 })).rejects.toThrow(
      'imageShape: wanted height and width that are multiples of Infinity',
    );
  });
});

describe('images larger than any memory', () => {
  it.each([[1e9, 1e9], [2 ** 44, 1], [1, 2 ** 44], [2 ** 52, 1]])('of %s x %s are refused by sample', async (height, width) => {
    const model: PortableModel = { ...readPortable(file), imageShape: [height, width, 2] };
    const sampled = sample(model, { condition: ofPlain.condition?.(1) });
    await expect(sampled).rejects.toThrow(errorOf(RangeError, /^sample: .*use fewer images at a time$/));
  }); // biome-ignore format: one line
});
