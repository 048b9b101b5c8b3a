// Draws a graph of operations as SVG. Nodes and edges come from a network, and their positions are set by
// hand. A node without a position, a position without a node, or a line through a node is an error.

/** Colours of each class of shape, on light and on dark pages. */
const COLOURS = {
  light: {
    page: '#ffffff',
    frame: '#d8dee6',
    text: '#1f2a3a',
    faint: '#56637a',
    line: '#4d5a70',
    plain: '#ffffff',
    weights: '#dfe9f9',
    weightsFrame: '#6f97d8',
    seen: '#5b86cf',
    hidden: '#ffffff',
    present: '#0b1f45',
    condition: '#b4472f',
  },
  dark: {
    page: '#161b22',
    frame: '#39424e',
    text: '#e6edf3',
    faint: '#a3b0c0',
    line: '#9fadbf',
    plain: '#232b36',
    weights: '#1d3358',
    weightsFrame: '#5b8bd6',
    seen: '#8ab4f8',
    hidden: '#161b22',
    present: '#ffffff',
    condition: '#f0937c',
  },
};

const rulesOf = (colour) => `
.page { fill: ${colour.page}; stroke: ${colour.frame}; }
.text { fill: ${colour.text}; }
.faint { fill: ${colour.faint}; }
.line { stroke: ${colour.line}; stroke-width: 1.5; fill: none; }
.head, .dot { fill: ${colour.line}; }
.condition-line { stroke: ${colour.condition}; stroke-width: 1.5; fill: none; }
.condition-head, .condition { fill: ${colour.condition}; }
.plain { fill: ${colour.plain}; stroke: ${colour.line}; }
.weights { fill: ${colour.weights}; stroke: ${colour.weightsFrame}; }
.seen { fill: ${colour.seen}; stroke: ${colour.weights}; }
.hidden { fill: ${colour.hidden}; stroke: ${colour.weightsFrame}; }
.present { fill: none; stroke: ${colour.present}; stroke-width: 2; }`;

const style = `<style>${rulesOf(COLOURS.light)}
@media (prefers-color-scheme: dark) {${rulesOf(COLOURS.dark).replaceAll('\n', '\n  ')}
}</style>`;

// Pieces of SVG

const rectangle = (x, y, width, height, kind, radius = 0) =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}" class="${kind}"/>`;

/** Text centred on a position; `anchor` puts its start or end there instead. */
export const text = (x, y, words, { kind = 'text', anchor = 'middle', size = 13 } = {}) =>
  `<text x="${x}" y="${y + 0.35 * size}" class="${kind}" font-size="${size}" text-anchor="${anchor}">${words}</text>`;

const marker = (kind) =>
  `<marker id="${kind}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="6" markerHeight="6" orient="auto"><path d="M0,0.5 L8,4 L0,7.5 z" class="${kind}"/></marker>`;

/**
 * Whether the tap in this row and column of a kernel reads anything, for images of one channel.
 *
 * @param {Pick<import('pixelcnn-layers').KernelWindow, 'anchor' | 'present'>} window
 * @param {number} r
 * @param {number} c
 */
export function isTapSeen({ anchor: [row, column], present }, r, c) {
  if (r !== row) return r < row;
  if (present === 'everything' || present === 'nothing') return present === 'everything';
  return c < column || (c === column && present === 'B');
}

const TAP = 11;

/** The taps of a kernel. Visible taps are filled, and the current pixel has a frame. */
function taps(x, top, window) {
  const [rows, columns] = window.kernelSize;
  const left = x - (columns * TAP) / 2;
  const cells = [];
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++)
      cells.push(
        rectangle(
          left + c * TAP,
          top + r * TAP,
          TAP,
          TAP,
          `tap ${isTapSeen(window, r, c) ? 'seen' : 'hidden'}`,
        ),
      );
  const [row, column] = window.anchor;
  return [...cells, rectangle(left + column * TAP, top + row * TAP, TAP, TAP, 'present')];
}

// Kinds of nodes: half their width and height, and how they are drawn

const boxed = (kind, width, height) => (x, y) =>
  rectangle(x - width / 2, y - height / 2, width, height, kind, 5);

/** A box with text on one or more lines. */
const wordsIn = (kind, width, height) => ({
  half: [width / 2, height / 2],
  draw: (x, y, { label }) => {
    const lines = [label].flat();
    const first = y - 8 * (lines.length - 1);
    return [
      boxed(kind, width, height)(x, y),
      ...lines.map((words, index) => text(x, first + 16 * index, words)),
    ];
  },
});

/** A box with the taps of a kernel above the text. */
const windowIn = (width) => ({
  half: [width / 2, 37],
  draw: (x, y, { label, window }) => {
    const top = y - 10 - (window.kernelSize[0] * TAP) / 2;
    return [boxed('weights', width, 74)(x, y), ...taps(x, top, window), text(x, y + 23, label)];
  },
});

/** The two halves of the features, the function applied to each, if any, and their product. */
const gate = {
  half: [58, 34],
  draw: (x, y, { label }) => [
    `<polyline points="${x - 58},${y} ${x - 48},${y}" class="line"/>`,
    ...label.flatMap((words, index) => {
      const [middle, end] = index === 0 ? [y - 20, y - 10] : [y + 20, y + 10];
      const way = `${x - 48},${y} ${x - 48},${middle} ${x + 48},${middle} ${x + 48},${end}`;
      const box = [boxed('plain', 60, 26)(x, middle), text(x, middle, words)];
      return [
        `<polyline points="${way}" class="line" marker-end="url(#head)"/>`,
        ...(words === '' ? [] : box),
      ];
    }),
    ...circle(x + 48, y, '×'),
  ],
};

const circle = (x, y, sign) => [
  `<circle cx="${x}" cy="${y}" r="10" class="plain"/>`,
  text(x, y, sign, { size: 16 }),
];

/** The kinds by name. */
const KINDS = {
  end: {
    half: ({ label }) => [Math.max(9, 3.6 * label.length + 3), 10],
    draw: (x, y, { label, isCondition }) => [
      text(x, y, label, { kind: isCondition ? 'condition' : 'text', size: label.length > 2 ? 13 : 15 }),
    ],
  },
  point: wordsIn('weights', 44, 30),
  window: windowIn(68),
  plain: wordsIn('plain', 54, 28),
  wide: wordsIn('plain', 78, 28),
  block: wordsIn('weights', 82, 44),
  windowBlock: windowIn(96),
  attention: wordsIn('weights', 82, 124),
  sum: { half: [10, 10], draw: (x, y) => circle(x, y, '+') },
  gate,
};

const SIDES = { left: [-1, 0], right: [1, 0], top: [0, -1], bottom: [0, 1] };

/**
 * A picture of a graph.
 *
 * @param nodes by their names: `kind`, `label`, `inputs` (names of nodes), and `window` where taps are drawn
 * @param places x and y by the same names
 * @param routes for lines that are not straight, by `from>to`: the side (or point) where it leaves
 * and enters, points on its way, and where it branches off another
 * @param sizes labels of lines, by `from>to`: what a line carries, and where the label stands
 */
export function diagram({ title, width, height, nodes, places, routes = {}, sizes = {}, extra = [] }) {
  const [named, placed] = [Object.keys(nodes), Object.keys(places)].map((names) => names.sort().join(', '));
  if (named !== placed) throw new Error(`${title}: nodes ${named}; places ${placed}`);
  const halfOf = (name) => {
    const { half } = KINDS[nodes[name].kind];
    return typeof half === 'function' ? half(nodes[name]) : half;
  };
  const portOf = (name, side) => {
    const [x, y] = places[name];
    const half = halfOf(name);
    return [x + SIDES[side][0] * half[0], y + SIDES[side][1] * half[1]];
  };
  const [lines, shapes, unused] = [[], [], new Set([...Object.keys(routes), ...Object.keys(sizes)])];
  for (const [name, node] of Object.entries(nodes)) {
    shapes.push(...KINDS[node.kind].draw(...places[name], node));
    for (const input of node.inputs) {
      const way = `${input}>${name}`;
      const { from = 'right', to = 'left', via = [], branch } = routes[way] ?? {};
      const points = [portOf(input, from), ...via, Array.isArray(to) ? to : portOf(name, to)];
      checkLine(way, points);
      const kind = nodes[input].isCondition ? 'condition-' : '';
      const head = node.kind === 'gate' ? '' : ` marker-end="url(#${kind}head)"`; // a gate begins with its own line
      lines.push(
        `<polyline points="${points.map((point) => point.join()).join(' ')}" class="${kind}line"${head}/>`,
      );
      if (branch !== undefined) lines.push(`<circle cx="${branch[0]}" cy="${branch[1]}" r="3" class="dot"/>`);
      if (sizes[way] !== undefined) {
        const [words, x, y, anchor] = sizes[way];
        shapes.push(text(x, y, words, { kind: 'faint', size: 12, anchor }));
      }
      unused.delete(way);
    }
  }
  if (unused.size > 0) throw new Error(`${title}: no such lines: ${[...unused].join(', ')}`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title" font-family="Helvetica, Arial, sans-serif">
<title id="title">${title}</title>
${style}
<defs>${marker('head')}${marker('condition-head')}</defs>
${rectangle(0.75, 0.75, width - 1.5, height - 1.5, 'page', 8)}
${lines.join('\n')}
${shapes.join('\n')}
${extra.join('\n')}
</svg>
`;

  /** Checks that lines are vertical or horizontal, and avoid nodes that they do not join. */
  function checkLine(way, points) {
    for (const [index, [x, y]] of points.entries()) {
      const [toX, toY] = points[index + 1] ?? [x, y];
      if (x !== toX && y !== toY) throw new Error(`${title}: ${way} is aslant at ${[x, y, toX, toY]}`);
      for (const [name, [middleX, middleY]] of Object.entries(places)) {
        if (way.split('>').includes(name)) continue;
        const half = halfOf(name);
        const misses = (middle, reach, a, b) =>
          Math.max(a, b) < middle - reach || Math.min(a, b) > middle + reach;
        if (misses(middleX, half[0] + 3, x, toX) || misses(middleY, half[1] + 3, y, toY)) continue;
        throw new Error(`${title}: ${way} runs into ${name}`);
      }
    }
  }
}
