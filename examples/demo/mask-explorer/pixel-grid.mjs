import { h } from '../parts/dom.mjs';
import { pixelName } from './field-words.mjs';

const SVG = 'http://www.w3.org/2000/svg';
const SIGNS = { here: '?', blind: '×', outside: '', later: '' };
const LABELS = {
  here: 'computed now',
  blind: 'never seen',
  outside: 'outside the window',
  later: 'drawn later',
};

/**
 * The picture of one network: a square for each pixel, the outline of the window, and the way to one pixel.
 *
 * @param {object} args
 * @param {string} args.label
 * @param {{ height: number, width: number }} args.size
 * @param {(key: string) => boolean} args.onKey whether the key was taken
 * @param {(at: { row: number, column: number }) => void} args.onPick a pixel was clicked
 * @param {(at: { row: number, column: number } | null) => void} args.onPoint the pointer is on a pixel, or left
 */
export function pixelGrid({ label, size, onKey, onPick, onPoint }) {
  const { height, width } = size;
  const cells = [];
  const places = new Map();
  const rows = Array.from({ length: height }, (_, row) => {
    const made = Array.from({ length: width }, (_, column) => {
      const cell = h('div', { role: 'gridcell', tabIndex: -1 });
      places.set(cell, { row, column });
      cells.push(cell);
      return cell;
    });
    return h('div', { role: 'row' }, ...made);
  });
  const outline = svg('path', { class: 'mask-window' });
  const way = svg('polyline', { class: 'mask-way' });
  const stops = svg('g', {});
  const overlay = svg('svg', { viewBox: `0 0 ${width} ${height}`, class: 'mask-overlay', 'aria-hidden': 'true' }); // biome-ignore format: one line
  overlay.append(outline, way, stops);

  const root = h(
    'div.mask-grid',
    {
      role: 'grid',
      'aria-label': label,
      onkeydown: (event) => {
        const isShortcut = event.ctrlKey || event.metaKey || event.altKey;
        if (!isShortcut && onKey(event.key)) event.preventDefault();
      },
      onclick: ({ target }) => places.has(target) && onPick(places.get(target)),
      onpointerover: ({ target, pointerType }) =>
        pointerType === 'mouse' && places.has(target) && onPoint(places.get(target)),
      onpointerleave: () => onPoint(null),
    },
    ...rows,
    overlay,
  );
  root.style.setProperty('--mask-width', width);

  /**
   * @param {import('./picture.mjs').Picture} picture
   * @param {object} options
   * @param {import('./order.mjs').Place} options.place
   * @param {number} options.layer
   * @param {{ row: number, column: number }} options.active the pixel in the tab order
   * @param {{ row: number, column: number } | null} options.asked the pixel to which the way is shown
   * @param {import('./field.mjs').Stop[]} options.path
   */
  function show(picture, { place, layer, active, asked, path }) {
    picture.pixels.forEach((pixel, index) => {
      const cell = cells[index];
      const at = places.get(cell);
      const isNew = pixel.kind === 'seen' && pixel.layer === layer;
      const isAsked = asked !== null && at.row === asked.row && at.column === asked.column;
      const classes = ['mask-pixel', `mask-${pixel.kind}`, isNew && 'mask-new', isAsked && 'mask-asked'];
      cell.className = classes.filter(Boolean).join(' ');
      cell.style.setProperty('--mask-layer', pixel.layer);
      cell.textContent = pixel.kind === 'seen' ? pixel.layer : SIGNS[pixel.kind];
      cell.tabIndex = at.row === active.row && at.column === active.column ? 0 : -1;
      const state = pixel.kind === 'seen' ? `seen through ${pixel.layer} layer${pixel.layer === 1 ? '' : 's'}` : LABELS[pixel.kind]; // biome-ignore format: one line
      cell.setAttribute('aria-label', `${pixelName(at)}: ${state}`);
    });
    outline.setAttribute('d', outlinePath(picture.window, place));
    way.setAttribute('points', wayPoints(path));
    stops.replaceChildren(...path.slice(1).map(stopMark));
  }

  const focus = ({ row, column }) => cells[row * width + column].focus();
  return { root, show, focus, hasFocus: () => root.contains(document.activeElement) };
}

/** Whole rows from the window's top, and the current row up to the place. */
function outlinePath({ top, left, right }, { row, column }) {
  const above = `M${left} ${top}H${right + 1}V${row}`;
  return row === top
    ? `M${left} ${row}H${column + 1}V${row + 1}H${left}Z`
    : `${above}H${column + 1}V${row + 1}H${left}Z`;
}

/** From centre to centre; beside the sign of the first, not through it. */
function wayPoints(path) {
  const points = path.map(({ row, column }) => [column + 0.5, row + 0.5]);
  if (points.length < 2) return '';
  const [[x, y], [nextX, nextY]] = points;
  const step = 0.5 / Math.max(Math.abs(nextX - x), Math.abs(nextY - y), 1);
  points[0] = [x + step * (nextX - x), y + step * (nextY - y)];
  return points.map((point) => point.join(',')).join(' ');
}

/** A circle for a stop in the output's stack, a square in the vertical one, a dot for the pixel itself. */
function stopMark({ row, column, stack }) {
  if (stack === 1)
    return svg('rect', { x: column + 0.34, y: row + 0.34, width: 0.32, height: 0.32, class: 'mask-stop' });
  const circle = { cx: column + 0.5, cy: row + 0.5 };
  return stack === -1
    ? svg('circle', { ...circle, r: 0.2, class: 'mask-end' })
    : svg('circle', { ...circle, r: 0.17, class: 'mask-stop' });
}

function svg(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
