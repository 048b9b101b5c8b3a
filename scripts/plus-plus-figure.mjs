// Draws PixelCNN++ from the layers of a small model, for docs/images/pixel-cnn-plus-plus.svg: `npm run figures`.
// Layers, their order, kernels, sizes and inputs come from the graph, so that a test can check the picture.

import '@tensorflow/tfjs-backend-cpu';
import { pixelCNNPlusPlus, windowOf } from 'pixelcnn-layers';

const COLOUR = {
  text: '#3b4454',
  faint: '#66748a',
  flow: '#3b4454',
  skip: '#c0563b',
  u: '#7fa3dc',
  ul: '#143e8c',
  other: '#ffffff',
  hidden: '#f6f7fa',
  scales: ['#eff3fa', '#e2eaf6', '#d3dff2'],
};
const WIDTH = 900;
const HEIGHT = 616;
/** Half the width and half the height of a layer. */
const [W, H] = [18, 14];
/** The distance between layers of a stream, also with a convolution between them on the way up. */
const PITCH = { within: 82, between: 124, transposed: 74 };
/** Where both streams begin; `ul` is further right, so that the lines of one pass between layers of the other. */
const LEFT = { u: 58, ul: 104 };
const ROWS = { down: { u: 340, ul: 398 }, up: { u: 470, ul: 528 } };
/** Height of the strip behind the layers of a row. */
const STRIP = 44;
/** From the first layer of a row to the end of its strip, and from the last one. */
const MARGIN = 30;
/** How much taller a convolution between resolutions is on the finer side, and lower on the other. */
const SLANT = 4;

// The network, as its graph has it

/** Layers that a layer reads, in order. */
const inputsOf = (layer) => layer.inboundNodes[0].inboundLayers;
const kindOf = (layer) => layer.getClassName();
const kernelOf = (layer) => layer.getConfig().kernelSize;

/** What a block reads besides its first input, with concatenated maps listed one by one. */
function skipsOf(layer) {
  if (kindOf(layer) !== 'GatedResBlock') return [];
  const skips = inputsOf(layer).slice(1);
  return skips.flatMap((skip) => (kindOf(skip) === 'Concatenate' ? inputsOf(skip) : [skip]));
}

/** A stream from its last layer back to where the stem ends, in order. */
function streamTo(last) {
  const stream = [last];
  while (['GatedResBlock', 'ShiftedConv2D'].includes(kindOf(stream[0])))
    stream.unshift(inputsOf(stream[0])[0]);
  return stream;
}

/**
 * Both streams of a model, the layers after them, and the map under which each block of the way up is placed.
 */
function networkOf(model) {
  const head = [model.layers.at(-1)];
  while (kindOf(head[0]) !== 'GatedResBlock') head.unshift(inputsOf(head[0])[0]);
  const ul = streamTo(head.shift());
  const u = streamTo(skipsOf(ul.at(-1))[0]);
  if (u.length !== ul.length) throw new Error('the streams differ in length');
  const firstUp = u.findIndex((layer) => skipsOf(layer).length > 0);
  const places = u.map((layer, index) => (index < firstUp ? index : u.indexOf(skipsOf(layer)[0])));
  return { image: model.layers[0], u, ul, head, firstUp, places };
}

// Pieces of SVG

const text = (x, y, words, { fill = COLOUR.text, size = 13, anchor = 'middle', weight = 'normal' } = {}) =>
  `<text x="${x}" y="${y}" fill="${fill}" font-size="${size}" text-anchor="${anchor}" font-weight="${weight}">${words}</text>`;
const rectangle = (x, y, width, height, fill, { stroke = 'none', radius = 0 } = {}) =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}" fill="${fill}" stroke="${stroke}"/>`;
/** A line through points, given as x and y in turn. */
const line = (points, kind = 'flow') =>
  `<polyline points="${points.join(' ')}" fill="none" stroke="${COLOUR[kind]}" stroke-width="1.5"/>`;
/** A line with an arrow at its end. */
const arrow = (points, kind = 'flow') => line(points, kind).replace('/>', ` marker-end="url(#${kind})"/>`);
const dot = (x, y) => `<circle cx="${x}" cy="${y}" r="3" fill="${COLOUR.flow}"/>`;
const marker = (kind) =>
  `<marker id="${kind}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="5.5" markerHeight="5.5" orient="auto"><path d="M0,0.5 L8,4 L0,7.5 z" fill="${COLOUR[kind]}"/></marker>`;
const sizeOf = (layer) => layer.outputShape.slice(1).join('×');
const resolutionOf = (layer) => layer.outputShape.slice(1, 3).join('×');

/** A layer of a stream; one between resolutions has the finer one on its left, on either way. */
function layerBox(x, y, stream, layer) {
  const shape = layer.getConfig().stride > 1 ? slanted(x, y, COLOUR[stream]) : upright(x, y, COLOUR[stream]);
  return shape + kernelText(x, y, stream, kernelOf(layer));
}

const upright = (x, y, fill) => rectangle(x - W, y - H, 2 * W, 2 * H, fill, { radius: 5 });
const slanted = (x, y, fill) =>
  `<path d="M${x - W},${y - H - SLANT} L${x + W},${y - H + SLANT} V${y + H - SLANT} L${x - W},${y + H + SLANT} z" fill="${fill}"/>`;
const kernelText = (x, y, stream, kernelSize) =>
  text(x, y + 4.5, kernelSize.join('×'), { fill: stream === 'ul' ? '#ffffff' : '#10254f' });

/** A layer outside of the streams. */
const plainBox = (x, y, width, words) =>
  rectangle(x - width / 2, y - 13, width, 26, COLOUR.other, { stroke: COLOUR.faint, radius: 5 }) +
  text(x, y + 4.5, words);

const plus = (x, y) =>
  `<circle cx="${x}" cy="${y}" r="9" fill="${COLOUR.other}" stroke="${COLOUR.faint}"/>` +
  text(x, y + 4.5, '+');

// The parts of the picture

/** The column of each layer of a stream, from left to right on the way down and back on the way up. */
function columnsOf({ u, firstUp, places }) {
  const at = [0];
  for (let index = 1; index < firstUp; index++)
    at.push(at[index - 1] + (isResize(u[index]) ? PITCH.between : PITCH.within));
  return places.map((place, index) => (place >= 0 ? at[place] : at[places[index + 1]] + PITCH.transposed));
}

const isResize = (layer) => kindOf(layer) === 'ShiftedConv2D';

/** Both streams, on strips by resolution. */
function streams(network) {
  const { u, ul, firstUp, places } = network;
  const columns = columnsOf(network);
  const xOf = (stream, index) => LEFT[stream] + columns[index];
  const yOf = (stream, index) => ROWS[index < firstUp ? 'down' : 'up'][stream];
  const [strips, lines, boxes] = [[], [], []];

  const resolutions = [...new Set(u.map(resolutionOf))];
  const starts = resolutions.map((one) => columns[u.findIndex((layer) => resolutionOf(layer) === one)]);
  const before = PITCH.between - PITCH.transposed; // between where resolutions meet and the coarser one's first map
  for (const way of ['down', 'up']) {
    for (const stream of ['u', 'ul']) {
      for (const [scale, start] of starts.entries()) {
        const left = LEFT[stream] + start - (scale === 0 ? MARGIN : before);
        const end = starts[scale + 1];
        const right = LEFT[stream] + (end === undefined ? Math.max(...columns) + MARGIN : end - before);
        const y = ROWS[way][stream] - STRIP / 2;
        strips.push(rectangle(left, y, right - left, STRIP, COLOUR.scales[scale]));
        if (way === 'down' && stream === 'u')
          strips.push(text((left + right) / 2, y - 8, resolutions[scale], { weight: 'bold' }));
      }
      strips.push(
        text(WIDTH - 5, ROWS[way][stream] + 5, stream, { size: 16, weight: 'bold', anchor: 'end' }),
      );
    }
  }

  for (const [way, { u: first, ul: second }] of Object.entries(ROWS)) {
    const turned = `translate(16,${(first + second) / 2}) rotate(-90)`;
    strips.push(`<g transform="${turned}">${text(0, 0, `the way ${way}`, { weight: 'bold' })}</g>`);
  }

  for (const [stream, layers] of Object.entries({ u, ul })) {
    for (const [index, layer] of layers.entries()) {
      const [x, y] = [xOf(stream, index), yOf(stream, index)];
      boxes.push(index === 0 ? dot(x, y) : layerBox(x, y, stream, layer));
      if (index > 0) lines.push(flowTo(index, stream));
      for (const skip of skipsOf(layer)) lines.push(skipTo(index, stream, layers.indexOf(skip), skip));
    }
  }
  return [...strips, ...lines, ...boxes];

  /** From the layer before. */
  function flowTo(index, stream) {
    const [x, y] = [xOf(stream, index - 1), yOf(stream, index - 1)];
    const [toX, toY] = [xOf(stream, index), yOf(stream, index)];
    if (index < firstUp) return arrow([index === 1 ? x : x + W, y, toX - W, toY]);
    return arrow(index > firstUp ? [x - W, y, toX + W, toY] : [x, y + H, x, toY, toX + W, toY]);
  }

  /** From a map of the way down, which stands above, or from the other stream, which stands beside it. */
  function skipTo(index, stream, own, skip) {
    const [x, y] = [xOf(stream, index), yOf(stream, index)];
    const isBeside = own < 0;
    if (isBeside ? u[index] !== skip : places[index] !== own)
      throw new Error(`${skip.name}: not at the place of its reader`);
    if (isBeside) return arrow([xOf('u', index) + 12, yOf('u', index) + H, x - 12, y - H], 'skip');
    return arrow([x, yOf(stream, own) + (own === 0 ? 0 : H), x, y - H], 'skip');
  }
}

/** The layers before both streams, from the image on. */
function stem({ image, u, ul }) {
  const [above, left] = inputsOf(ul[0]);
  const branches = [
    { x: LEFT.u, shift: u[0], stream: 'u' },
    { x: LEFT.ul, shift: above, stream: 'ul' },
    { x: LEFT.ul + 46, shift: left, stream: 'ul' },
  ];
  const [y, middle] = [[27, 69, 126, 176, 222], LEFT.ul];
  const centered = inputsOf(inputsOf(u[0])[0])[0];
  const shapes = [
    plainBox(middle, y[0], 180, `image ${sizeOf(image)}`),
    arrow([middle, y[0] + 13, middle, y[1] - 13]),
    plainBox(middle, y[1], 180, `scaled, with ones ${sizeOf(centered)}`),
  ];
  for (const { x, shift, stream } of branches) {
    const [conv] = inputsOf(shift);
    const { rows, columns } = shift.getConfig();
    shapes.push(
      arrow([middle, y[1] + 13, middle, y[1] + 26, x, y[1] + 26, x, y[2] - H]),
      layerBox(x, y[2], stream, conv),
      arrow([x, y[2] + H, x, y[3] - 13]),
      plainBox(x, y[3], 34, rows > 0 ? `↓${rows}` : `→${columns}`),
    );
  }
  const end = y[3] + 13;
  return [
    ...shapes,
    line([LEFT.u, end, LEFT.u, ROWS.down.u]),
    arrow([LEFT.ul, end, LEFT.ul, y[4] - 9]),
    arrow([LEFT.ul + 46, end, LEFT.ul + 46, y[4], LEFT.ul + 9, y[4]]),
    plus(LEFT.ul, y[4]),
    line([LEFT.ul, y[4] + 9, LEFT.ul, ROWS.down.ul]),
  ];
}

/** The layers after the streams. */
function headOf({ head, u, firstUp }) {
  const [elu, conv, output] = head;
  const y = 590;
  const x = [LEFT.ul, 186, 360];
  const { components } = output.getConfig();
  const numBlocks = u.slice(0, firstUp).findIndex(isResize) - 1;
  const paper = `${numBlocks} blocks at each resolution on the way down: the paper has 5`;
  return [
    arrow([x[0], ROWS.up.ul + H, x[0], y - 13]),
    plainBox(x[0], y, 56, kindOf(elu)),
    arrow([x[0] + 28, y, x[1] - W, y]),
    layerBox(x[1], y, 'ul', conv),
    arrow([x[1] + W, y, x[2] - 125, y]),
    plainBox(x[2], y, 250, `mixture of ${components} logistics ${sizeOf(output)}`),
    text(WIDTH - 26, y + 4.5, paper, { size: 12, anchor: 'end' }),
  ];
}

/** What each stream has seen, and what its convolutions read of it. */
function sights({ u, ul, firstUp }) {
  const words = {
    u: ['has seen the rows above,', 'so its kernels may read its own row whole'],
    ul: ['has seen what is to the left too,', 'so its kernels read its own row up to here'],
  };
  const all = { u: u[firstUp], ul: ul[firstUp] };
  return Object.entries(all).flatMap(([stream, block], index) => {
    const y = 18 + index * 58;
    const { kernelSize, shift } = block.getConfig();
    const [row, column] = windowOf({ kernelSize, shift }).anchor;
    const isSeen = (r, c) => r < 2 || (stream === 'ul' && r === 2 && c < 2);
    return [
      text(240, y + 28, stream, { size: 16, weight: 'bold' }),
      ...squares(258, y, [3, 5], [2, 2], (r, c) => (isSeen(r, c) ? COLOUR[stream] : COLOUR.hidden)),
      ...words[stream].map((part, i) => text(341, y + 18 + 16 * i, part, { size: 12, anchor: 'start' })),
      ...squares(582, y + 7, kernelSize, [row, column], () => COLOUR[stream]),
      text(644, y + 25, kernelSize.join('×'), { size: 12 }),
    ];
  });
}

/** Pixels; the current one has a frame. */
function squares(x, y, [rows, columns], here, colourOf) {
  const side = 14;
  const square = (r, c, fill, stroke) =>
    rectangle(x + side * c + 0.5, y + side * r + 0.5, side, side, fill, { stroke });
  const places = Array.from({ length: rows * columns }, (_, i) => [Math.floor(i / columns), i % columns]);
  const all = places.map(([r, c]) => square(r, c, colourOf(r, c), 'white'));
  return [...all, square(here[0], here[1], 'none', COLOUR.text)];
}

/** The legend. */
function legend() {
  const x = 704;
  const signs = [
    [(y) => upright(x, y, COLOUR.u), 'block or convolution'],
    [(y) => slanted(x, y, COLOUR.u), 'stride 2; up, transposed'],
    [(y) => plainBox(x, y, 34, '↓1'), 'shift, zeros come in'],
    [(y) => arrow([x - W, y, x + W, y], 'skip'), 'skip, into a block'],
  ];
  return signs.flatMap(([sign, words], index) => {
    const y = 30 + index * 38;
    return [sign(y), text(x + 28, y + 4.5, words, { size: 12, anchor: 'start' })];
  });
}

/** The inside of a block, as in `GatedResBlock`. */
function insideOf(block) {
  const [residual, main, below] = [196, 228, 268];
  const box = (x, width, what) => [x, width, (y) => plainBox(x, y, width, what)];
  const conv = (x, kernelSize) => [x, 2 * W, (y) => upright(x, y, COLOUR.ul) + kernelText(x, y, 'ul', kernelSize)]; // biome-ignore format: one line
  const sum = (x) => [x, 18, (y) => plus(x, y)];
  const name = (x, what) => [x, 8, (y) => text(x, y + 4.5, what, { anchor: 'end' })];
  /** Parts from left to right, each with its place and its width, and arrows between. */
  const chain = (y, parts, kind = 'flow') =>
    parts.flatMap(([x, width, draw], index) => {
      if (index === 0) return [draw(y)];
      const [before, itsWidth] = parts[index - 1];
      return [arrow([before + itsWidth / 2, y, x - width / 2, y], index === 1 ? kind : 'flow'), draw(y)];
    });
  const sizes = Object.entries({ 364: '2F', 433: 'F', 575: '2F', 726: '2F' });
  const kernelSize = kernelOf(block);
  const first = [name(247, 'x'), box(312, 72, 'ELU(±x)'), conv(400, kernelSize), sum(458)];
  const second = [box(523, 72, 'ELU(±y)'), box(623, 64, 'dropout'), conv(693, kernelSize), sum(750)];
  const gate = [box(799, 52, 'b σ(c)'), sum(848), name(886, '')];
  const rule = 'x + b sigmoid(c), where b and c are the halves of what the second convolution gives';
  return [
    text(240, 166, 'A block:', { weight: 'bold', anchor: 'start' }),
    text(300, 166, rule, { size: 12, anchor: 'start' }),
    ...chain(main, [...first, ...second, ...gate]),
    ...sizes.map(([x, size]) => text(x, main - 7, size, { size: 11, fill: COLOUR.faint })),
    arrow([258, main, 258, residual, 848, residual, 848, main - 9]),
    ...chain(below, [name(247, 'a'), box(312, 72, 'ELU(±a)'), conv(400, [1, 1])], 'skip'),
    arrow([400 + W, below, 458, below, 458, main + 9]),
    ...chain(below, [name(630, 'a condition, if any'), conv(693, [1, 1])]),
    arrow([693 + W, below, 750, below, 750, main + 9]),
  ];
}

/** The picture of a model that `pixelCNNPlusPlus` made. */
export function networkSvg(model) {
  const network = networkOf(model);
  const shapes = [
    ...streams(network),
    ...stem(network),
    ...headOf(network),
    ...sights(network),
    ...legend(),
    ...insideOf(network.ul[network.firstUp]),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="Helvetica, Arial, sans-serif">
<title>PixelCNN++: two streams, down through three resolutions and up again</title>
<defs>${marker('flow')}${marker('skip')}</defs>
<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>
${shapes.join('\n')}
</svg>
`;
}

/** The paper's network, but with two blocks at each resolution instead of five, and few features. */
export const plusPlusSvg = () =>
  networkSvg(pixelCNNPlusPlus({ imageShape: [32, 32, 3], filters: 2, numResnets: 2 }));
