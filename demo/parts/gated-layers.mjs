/** What each kind of layer is called, and what it does. */
export const KINDS = {
  image: ['Input', 'The network reads the pixels before this one as numbers from 0 to 1.'],
  vertical: [
    'Convolution',
    'The vertical stack looks at rows above, left and right alike: they are all drawn already.',
  ],
  horizontal: ['Convolution', 'The horizontal stack looks to the left in its row. A mask hides the rest.'],
  across: ['From vertical', 'What the vertical stack found above comes over, at the same pixel.'],
  gate: ['Gate', 'tanh(a) is what was found, and σ(b), from 0 to 1, how much of it goes on.'],
  mix: ['1×1', 'A 1×1 convolution mixes the channels of the pixel.'],
  add: ['Sum', 'The block adds to what came in, and loses nothing of it.'],
  pointwise: ['ReLU', 'Numbers below 0 become 0.'],
  logits: ['Logits', 'One channel for each level: the higher its number, the likelier the level.'],
  softmax: ['Softmax', 'e to the power of each logit, divided by the sum of all of them, is the chance.'],
};

/**
 * The layers of a gated network in the order in which a reader of the paper goes through them: block by block, and first the vertical stack.
 *
 * @typedef {object} Layer
 * @property {keyof typeof KINDS} kind
 * @property {number} node of the softmax, which is no node of its own: one after the last
 * @property {number} size how many channels it has
 * @property {number} depth its block, from 1; 0 is the image, Infinity the output layers
 * @property {string} block in words
 * @property {string} stack in words; empty where there is but one
 * @property {string} title all in words
 * @property {number[]} inputs nodes; of a gate all that are added up before it
 *
 * @param {Pick<import('pixelcnn-layers/runtime').PortableModel, 'nodes' | 'output'>} model
 * @returns {Layer[]}
 */
export function layersOf({ nodes, output }) {
  const summed = [];
  /** By node; none of what is the same at every pixel. */
  const layers = [];
  const termsOf = (node) => {
    if (nodes[node].op !== 'add') return node;
    summed.push(node);
    return nodes[node].inputs.flatMap(termsOf);
  };
  for (const [i, { op, size, window, input, inputs = [input ?? []].flat() }] of nodes.entries()) {
    const own = op === 'gate' ? [termsOf(input)].flat() : inputs;
    const before = own.flatMap((node) => layers[node] ?? []);
    if (i > 0 && before.length === 0) continue;
    const [rows, columns] = window?.kernelSize ?? [1, 1];
    const isWide = rows * columns > 1;
    const isVertical = op === 'gate' ? before[0].isVertical : rows > 1;
    const depth =
      op === 'pointwise'
        ? Number.POSITIVE_INFINITY
        : Math.max(0, ...before.map((layer) => layer.depth)) + isWide;
    let kind = op;
    if (i === output) kind = 'logits';
    else if (isWide) kind = isVertical ? 'vertical' : 'horizontal';
    else if (op === 'conv') kind = before[0].isVertical ? 'across' : 'mix';
    layers[i] = { kind, node: i, size, depth, isVertical, inputs: own };
  }
  return layers
    .filter(({ node }) => !summed.includes(node))
    .sort((a, b) => a.depth - b.depth || b.isVertical - a.isVertical || a.node - b.node)
    .concat({ ...layers[output], kind: 'softmax', node: nodes.length, inputs: [output] })
    .map((layer) => {
      const { depth, isVertical, kind } = layer;
      const stack =
        depth > 0 && depth < Number.POSITIVE_INFINITY
          ? `${isVertical ? 'Vertical' : 'Horizontal'} stack`
          : '';
      const block = stack ? `Block ${depth}` : depth > 0 ? 'Output' : 'Picture';
      return { ...layer, block, stack, title: `${block}${stack && `, ${stack}`}, ${KINDS[kind][0]}` };
    });
}
