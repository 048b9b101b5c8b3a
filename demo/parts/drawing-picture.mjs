import { colour, h, onThemeChange } from './dom.mjs';
import { pageLook } from './pictures.mjs';

const SIDE = 448;

/** A picture as far as it is drawn, as large squares, with the next pixel marked. */
export function drawingPicture() {
  const canvas = h('canvas.drawing-picture', { role: 'img', width: SIDE, height: SIDE, 'aria-label': '' });
  const context = canvas.getContext('2d');
  let shown = { values: [], kind: { shape: [1, 1, 1], levels: 2 } };

  function draw() {
    const { values, kind } = shown;
    const [height, width] = kind.shape;
    const look = pageLook(kind);
    const cell = SIDE / width;
    const gap = width > 16 ? 0 : 2;
    const blank = colour('--blank');
    context.clearRect(0, 0, SIDE, SIDE);
    for (let i = 0; i < height * width; i++) {
      context.fillStyle = i < values.length ? `rgb(${look(values, i)})` : blank;
      const [x, y] = [(i % width) * cell, Math.floor(i / width) * cell];
      context.fillRect(x + gap / 2, y + gap / 2, cell - gap, cell - gap);
    }
    if (values.length === height * width) return;
    const [x, y] = [(values.length % width) * cell, Math.floor(values.length / width) * cell];
    const line = Math.max(4, cell / 8);
    context.fillStyle = colour('--surface');
    context.fillRect(x, y, cell, cell);
    context.strokeStyle = colour('--accent');
    context.lineWidth = line;
    context.strokeRect(x + line / 2, y + line / 2, cell - line, cell - line);
    if (cell < 30) return;
    context.fillStyle = colour('--accent');
    context.font = `600 ${cell * 0.5}px system-ui, sans-serif`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillText('?', x + cell / 2, y + cell * 0.54);
  }

  onThemeChange(draw);
  return {
    element: canvas,
    /**
     * @param {number[]} values of the pixels that are drawn, row by row
     * @param {import('../catalogue.mjs').Entry} entry
     */
    show(values, entry) {
      shown = { values, kind: entry };
      const [height, width] = entry.shape;
      const next = `; next is row ${Math.floor(values.length / width) + 1}, column ${(values.length % width) + 1}`;
      const isWhole = values.length === height * width;
      canvas.setAttribute(
        'aria-label',
        `The picture: ${values.length} of ${height * width} pixels are drawn${isWhole ? '' : next}`,
      );
      draw();
    },
  };
}
