// Draws the blocks of the networks from programs and graphs of small models, for docs/images/block-*.svg:
// `npm run figures`. Operations, their inputs, windows and sizes come from the models, so the pictures are
// true; only positions are set by hand.

import '@tensorflow/tfjs-backend-cpu';
import { gatedPixelCNN, pixelCNN, pixelCNNPlusPlus, pixelSNAIL, toPortable, windowOf } from 'pixelcnn-layers';
import { diagram, text } from './lib/diagram.mjs';

/** The number of features of a stream, and of a condition. */
const [FEATURES, CONDITION] = [6, 5];
const small = { imageShape: [8, 8, 1], levels: 4 };

// Graphs

/** Formats a number of features: 12, in units of 6, is `2h`. */
const sizeIn = (unit) => (size) => {
  if (size % unit[0] !== 0) throw new Error(`${size} features are no multiple of ${unit[0]}`);
  return `${size === unit[0] ? '' : size / unit[0]}${unit[1]}`;
};

/** How a node of a program is drawn. */
function drawnAs({ op, fn, window }) {
  if (op === 'conv') {
    const label = window.kernelSize.join('×');
    const isMasked = window.present === 'A' || window.present === 'B';
    return label === '1×1'
      ? { kind: 'point', label }
      : { kind: 'window', label: isMasked ? `${label}, ${window.present}` : label, window };
  }
  if (op === 'add') return { kind: 'sum' };
  if (op === 'gate') return { kind: 'gate', label: ['tanh', 'sigmoid'] };
  if (op === 'glu') return { kind: 'gate', label: ['', 'sigmoid'] };
  if (op === 'concatElu') return { kind: 'wide', label: 'concat-ELU' };
  if (op === 'pointwise' && fn === 'relu') return { kind: 'plain', label: 'ReLU' };
  throw new Error(`no picture of ${op}`);
}

/**
 * The part of a program from some nodes to others, by name. Convolutions are named after their
 * weights, without the block's name, and other nodes by their kind and a number.
 */
function partOf(nodes, prefix, begin, end) {
  const names = new Map(Object.entries(begin).map(([name, index]) => [index, name]));
  const part = Object.fromEntries(
    Object.entries(begin).map(([name, index]) => [
      name,
      {
        kind: 'end',
        label: name,
        inputs: [],
        size: nodes[index].size,
        isCondition: nodes[index].op === 'condition',
      },
    ]),
  );
  const counts = {};
  const visit = (index) => {
    if (names.has(index)) return names.get(index);
    const node = nodes[index];
    const inputs = (node.inputs ?? [node.input]).map(visit);
    const what = node.fn ?? node.op;
    counts[what] = (counts[what] ?? 0) + 1;
    const name = node.kernel?.replace(prefix, '').replace('.kernel', '') ?? `${what}${counts[what]}`;
    if (name in part) throw new Error(`two nodes are called ${name}`);
    names.set(index, name);
    const isCondition = inputs.every((input) => part[input].isCondition);
    part[name] = { ...drawnAs(node), inputs, size: node.size, isCondition };
    return name;
  };
  for (const [name, index] of Object.entries(end)) {
    const input = visit(index);
    part[name] = { kind: 'end', label: name, inputs: [input], size: nodes[index].size };
  }
  return part;
}

/** The input of the convolution with a name. */
const inputOf = (nodes, kernel) => nodes.find((node) => node.kernel === `${kernel}.kernel`).input;

/** Nodes with the picture's labels. */
const labelled = (nodes, labels) =>
  Object.fromEntries(
    Object.entries(nodes).map(([name, node]) => [
      name,
      { ...node, ...(name in labels && { label: labels[name] }) },
    ]),
  );

/** Labels of lines: how many features the node at the start of each makes. */
const sizesOf = (nodes, words, at) =>
  Object.fromEntries(
    Object.entries(at).map(([way, place]) => [way, [words(nodes[way.split('>')[0]].size), ...place]]),
  );

/** The layers from one to another, by their names without a prefix, each drawn as one node. */
function layersBetween(begin, end, prefix) {
  const part = { x: { kind: 'end', label: 'x', inputs: [], size: begin.outputShape[3] } };
  const visit = (layer) => {
    if (layer === begin) return 'x';
    const name = layer.name.replace(prefix, '');
    if (name in part) return name;
    const node = { ...layerDrawnAs(layer), size: layer.outputShape[3] };
    const inputs =
      layer.getClassName() === 'PixelPosition' ? [] : layer.inboundNodes[0].inboundLayers.map(visit);
    part[name] = { ...node, inputs };
    return name;
  };
  part.y = { kind: 'end', label: 'y', inputs: [visit(end)], size: end.outputShape[3] };
  return part;
}

function layerDrawnAs(layer) {
  const { kernelSize, shift } = layer.getConfig();
  switch (layer.getClassName()) {
    case 'GatedResBlock': {
      const size = kernelSize.join('×');
      if (size === '1×1') return { kind: 'block', label: ['residual', size] };
      return { kind: 'windowBlock', label: `residual, ${size}`, window: windowOf({ kernelSize, shift }) };
    }
    case 'Concatenate':
      return { kind: 'wide', label: 'concatenate' };
    case 'PixelPosition':
      return { kind: 'end', label: 'position' };
    case 'CausalAttention':
      return { kind: 'attention', label: 'attention' };
    default:
      throw new Error(`no picture of ${layer.getClassName()}`);
  }
}

/** The program of a model, which is disposed. */
async function programOf(model) {
  const { nodes } = await toPortable(model);
  model.dispose();
  return nodes;
}

// Pictures

/** The residual block of PixelCNN. */
async function pixelCNNBlock() {
  const program = await programOf(pixelCNN({ ...small, hiddenDim: FEATURES, outDim: 4, numBlocks: 2 }));
  const nodes = partOf(
    program,
    'block0.',
    { x: inputOf(program, 'block0.conv_in') },
    { y: inputOf(program, 'block1.conv_in') },
  );
  const y = 106;
  const sizes = sizesOf(nodes, sizeIn([FEATURES, 'h']), {
    'x>conv_in': [60, y - 12],
    'conv_in>relu1': [134, y - 12],
    'relu2>conv_out': [414, y - 12],
    'conv_out>relu3': [488, y - 12],
    'add1>y': [637, y - 12],
  });
  return diagram({
    title: 'The residual block of PixelCNN',
    width: 700,
    height: 168,
    nodes,
    places: {
      x: [30, y],
      conv_in: [100, y],
      relu1: [175, y],
      conv_mid: [274, y],
      relu2: [373, y],
      conv_out: [454, y],
      relu3: [529, y],
      add1: [598, y],
      y: [672, y],
    },
    routes: { 'x>add1': { via: [[46, y], [46, 34], [598, 34]], to: 'top', branch: [46, y] } }, // biome-ignore format: one line
    sizes,
    extra: [text(322, 22, 'residual connection', { kind: 'faint', size: 12 })],
  });
}

/** The block of Gated PixelCNN, with a condition. */
async function gatedBlock() {
  const model = gatedPixelCNN({
    ...small,
    hiddenDim: FEATURES,
    outDim: 4,
    numBlocks: 2,
    conditionSize: CONDITION,
  });
  const program = await programOf(model);
  const nodes = partOf(
    program,
    /^block1_/,
    {
      v: inputOf(program, 'block1_vertical'),
      h: inputOf(program, 'block1_horizontal'),
      condition: program.findIndex(({ op }) => op === 'condition'),
    },
    { 'v′': inputOf(program, 'block2_vertical'), 'h′': inputOf(program, 'block2_horizontal') },
  );
  const [above, middle, present] = [104, 194, 284];
  const caption = (y, words) => text(28, y, words, { kind: 'faint', size: 12, anchor: 'start' });
  return diagram({
    title: 'The block of Gated PixelCNN',
    width: 700,
    height: 392,
    nodes: labelled(nodes, { condition: 'condition' }),
    places: {
      v: [30, above],
      vertical: [110, above],
      add1: [310, above],
      gate1: [410, above],
      'v′': [670, above],
      across: [196, middle],
      'vertical_gate.condition': [310, middle - 42],
      condition: [310, middle],
      'horizontal_gate.condition': [310, middle + 42],
      h: [30, present],
      horizontal: [110, present],
      add2: [196, present],
      add3: [310, present],
      gate2: [410, present],
      out: [520, present],
      add4: [592, present],
      'h′': [670, present],
    },
    routes: {
      'vertical>across': { via: [[196, above]], to: 'top', branch: [196, above] },
      'across>add2': { from: 'bottom', to: 'top' },
      'condition>vertical_gate.condition': { from: 'top', to: 'bottom' },
      'condition>horizontal_gate.condition': { from: 'bottom', to: 'top' },
      'vertical_gate.condition>add1': { from: 'top', to: 'bottom' },
      'horizontal_gate.condition>add3': { from: 'bottom', to: 'top' },
      'h>add4': { via: [[48, present], [48, 352], [592, 352]], to: 'bottom', branch: [48, present] }, // biome-ignore format: one line
    },
    sizes: sizesOf(nodes, sizeIn([FEATURES, 'F']), {
      'v>vertical': [58, above - 12],
      'vertical>add1': [252, above - 12],
      'add1>gate1': [334, above - 12],
      'gate1>v′': [560, above - 12],
      'across>add2': [204, middle + 32, 'start'],
      'h>horizontal': [58, present - 12],
      'add2>add3': [252, present - 12],
      'add3>gate2': [334, present - 12],
      'gate2>out': [484, present - 12],
      'out>add4': [562, present - 12],
      'add4>h′': [632, present - 12],
    }),
    extra: [
      caption(28, 'Vertical stack: sees the rows above'),
      caption(
        374,
        'Horizontal stack: sees the pixels to the left, and through the vertical stack the rows above',
      ),
    ],
  });
}

/** The gated residual block of PixelCNN++, with a skip and a condition. */
async function plusPlusBlock() {
  const model = pixelCNNPlusPlus({
    ...small,
    filters: FEATURES,
    numResnets: 1,
    output: { components: 1 },
    conditionSize: CONDITION,
  });
  const program = await programOf(model);
  const readBy = (kernel) => program[inputOf(program, kernel)].input; // before the concat-ELU
  const nodes = partOf(
    program,
    'up0_0_u.',
    {
      x: readBy('up0_0_u.conv_in'),
      a: readBy('up0_0_u.conv_skip'),
      h: program.findIndex(({ op }) => op === 'condition'),
    },
    { y: readBy('up0_1_u.conv_in') },
  );
  const [main, below] = [110, 212];
  return diagram({
    title: 'The gated residual block of PixelCNN++',
    width: 700,
    height: 250,
    nodes: labelled(nodes, { a: 'skip', h: 'condition' }),
    places: {
      x: [22, main],
      concatElu1: [96, main],
      conv_in: [190, main],
      add1: [252, main],
      concatElu3: [319, main],
      conv_out: [412, main],
      add2: [476, main],
      glu1: [562, main],
      add3: [648, main],
      y: [684, main],
      a: [22, below],
      concatElu2: [96, below],
      conv_skip: [252, below],
      h: [394, below],
      condition: [476, below],
    },
    routes: {
      'x>add3': { via: [[40, main], [40, 34], [648, 34]], to: 'top', branch: [40, main] }, // biome-ignore format: one line
      'conv_skip>add1': { from: 'top', to: 'bottom' },
      'condition>add2': { from: 'top', to: 'bottom' },
    },
    sizes: sizesOf(nodes, sizeIn([FEATURES, 'F']), {
      'x>concatElu1': [49, main - 12],
      'concatElu1>conv_in': [146, main - 12],
      'conv_in>add1': [233, main - 12],
      'concatElu3>conv_out': [368, main - 12],
      'conv_out>add2': [456, main - 12],
      'glu1>add3': [629, main - 12],
      'concatElu2>conv_skip': [182, below - 12],
    }),
    extra: [text(344, 22, 'residual connection', { kind: 'faint', size: 12 })],
  });
}

/** A block of PixelSNAIL: residual blocks, then attention. */
async function snailBlock() {
  const F = 12;
  const model = pixelSNAIL({ ...small, filters: F, heads: 3, numBlocks: 2, numResBlocks: 2, resFilters: 3 });
  const begin = model.getLayer('block0_res0').input.sourceLayer;
  const end = model.getLayer('block0_out');
  const nodes = layersBetween(begin, end, 'block0_');
  model.dispose();
  const words = (size) => ({ [F / 2]: 'F/2', [F]: 'F', [F + 2]: 'F+2', [2 * F + 2]: '2F+2' })[size];
  const [main, second, third] = [84, 178, 272];
  return diagram({
    title: 'A block of PixelSNAIL',
    width: 700,
    height: 322,
    nodes,
    places: {
      x: [24, main],
      res0: [116, main],
      res1: [236, main],
      out: [610, main],
      y: [680, main],
      position: [206, second],
      here: [322, second],
      queries: [446, second],
      earlier: [322, third],
      keys: [446, third],
      attention: [610, (second + third) / 2],
    },
    routes: {
      'res1>here': { via: [[322, main]], to: 'top', branch: [322, main] },
      'x>earlier': { via: [[46, main], [46, third]], branch: [46, main] }, // biome-ignore format: one line
      'here>earlier': { from: 'bottom', to: 'top' },
      'queries>attention': { to: [569, second] },
      'keys>attention': { to: [569, third] },
      'attention>out': { from: 'top', to: 'bottom' },
    },
    sizes: sizesOf(nodes, words, {
      'x>res0': [57, main - 12],
      'res0>res1': [176, main - 12],
      'res1>out': [440, main - 12],
      'out>y': [660, main - 12],
      'here>queries': [383, second - 12],
      'earlier>keys': [383, third - 12],
      'attention>out': [618, main + 40, 'start'],
    }),
    extra: [
      text(528, second - 12, 'queries', { kind: 'faint', size: 12 }),
      text(528, third - 12, 'keys, values', { kind: 'faint', size: 12 }),
    ],
  });
}

/** The figures by the names of their files, without `.svg`. */
export const BLOCK_FIGURES = {
  'block-pixel-cnn': pixelCNNBlock,
  'block-gated': gatedBlock,
  'block-plus-plus': plusPlusBlock,
  'block-snail': snailBlock,
};
