import { freshId, h, onThemeChange } from './dom.mjs';

const MAX_SIDE = 768; // of the canvas, in its own points: each square has a whole number

/**
 * An image as large squares, with a cursor that arrow keys and the pointer move, and a line of text that says what is under it.
 *
 * @param {object} options
 * @param {string} options.label
 * @param {string} options.hint what it is for; which keys do that is said after it
 * @param {(context: CanvasRenderingContext2D, cell: number) => void} options.paint paints the whole image, `cell` the side of a square
 * @param {(row: number, column: number) => string} options.describe
 * @param {(row: number, column: number) => void} [options.onPoint] the cursor is there now
 * @param {(row: number, column: number, isFirst: boolean) => void} [options.act] on space or a press; `isFirst` is false as a stroke goes on
 */
export function pixelGrid({ label, hint, paint, describe, onPoint, act }) {
  const hintId = freshId();
  const canvas = h('canvas.squares', {
    role: 'application',
    tabIndex: 0,
    'aria-label': label,
    'aria-roledescription': 'pixel grid',
    'aria-describedby': hintId,
  });
  const context = canvas.getContext('2d');
  const hintLine = h(
    'p.hint',
    { id: hintId },
    hint,
    h('span.keys', ` Keyboard: arrow keys${act ? ' and space' : ''}.`),
  );
  const readout = h('p.readout', { role: 'status' });
  const cursor = { row: 0, column: 0, isShown: false };
  let [rows, columns] = [1, 1];
  let cell = 1;
  let last = null; // square of the present stroke
  let touched = null; // a finger that may be about to scroll the page: after its first move it is known
  let isFirstMove = true;

  function draw() {
    hintLine.hidden = cursor.isShown;
    context.clearRect(0, 0, canvas.width, canvas.height);
    paint(context, cell);
    if (!cursor.isShown) return;
    drawRing(context, cell, cursor);
  }

  function moveTo(row, column) {
    cursor.row = Math.min(rows - 1, Math.max(0, row));
    cursor.column = Math.min(columns - 1, Math.max(0, column));
    cursor.isShown = true;
    tell();
    onPoint?.(cursor.row, cursor.column);
  }

  function tell() {
    const { row, column } = cursor;
    if (cursor.isShown)
      readout.textContent = `Row ${row + 1}, column ${column + 1}: ${describe(row, column)}`;
    draw();
  }

  const STEPS = {
    ArrowUp: () => [cursor.row - 1, cursor.column],
    ArrowDown: () => [cursor.row + 1, cursor.column],
    ArrowLeft: () => [cursor.row, cursor.column - 1],
    ArrowRight: () => [cursor.row, cursor.column + 1],
    Home: () => [cursor.row, 0],
    End: () => [cursor.row, columns - 1],
  };
  canvas.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === ' ' && act) act(cursor.row, cursor.column, true);
    else if (STEPS[event.key]) moveTo(...STEPS[event.key]());
    else return;
    event.preventDefault();
    tell();
  });
  canvas.addEventListener('focus', () => moveTo(cursor.row, cursor.column));
  canvas.addEventListener('blur', hide);
  canvas.addEventListener('pointerleave', () => document.activeElement !== canvas && hide());
  canvas.addEventListener('pointermove', (event) => {
    if (touched && isFirstMove) isFirstMove = false;
    else {
      begin();
      follow(event, false);
    }
  });
  canvas.addEventListener('pointerup', begin);
  canvas.addEventListener('pointercancel', () => {
    touched = null;
  });
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    [touched, isFirstMove] = [event, true];
    if (event.pointerType !== 'touch') begin();
  });

  function begin() {
    if (touched) follow(touched, true);
    touched = null;
  }

  /** Of a stroke that goes over several pixels between two events, none is left out. */
  function follow(event, isFirst) {
    const isPressed = event.buttons % 2 === 1;
    if (isFirst || !isPressed) last = null;
    for (const { offsetX, offsetY } of event.getCoalescedEvents?.().concat(event) ?? [event]) {
      const square = [
        Math.floor((offsetY / canvas.clientHeight) * rows),
        Math.floor((offsetX / canvas.clientWidth) * columns),
      ];
      for (const [row, column] of last === null ? [square] : squaresBetween(last, square)) {
        if (row < 0 || column < 0 || row >= rows || column >= columns) continue;
        moveTo(row, column);
        if (isPressed) act?.(row, column, isFirst);
        isFirst = false;
      }
      last = isPressed ? square : null;
    }
    tell();
  }

  function hide() {
    cursor.isShown = false;
    readout.textContent = '';
    draw();
  }

  onThemeChange(draw);
  return {
    canvas,
    element: h('div.grid', canvas, h('div.below', readout, hintLine)),
    /** Paints again, after a change. */
    refresh: tell,
    setSize(height, width) {
      [rows, columns] = [height, width];
      cell = Math.floor(MAX_SIDE / Math.max(rows, columns));
      [canvas.width, canvas.height] = [cell * columns, cell * rows];
      if (document.activeElement === canvas) moveTo(cursor.row, cursor.column);
      else hide();
    },
  };
}

/** A ring in a square, to be seen on light and on dark. */
export function drawRing(context, cell, { row, column }) {
  const wide = Math.max(6, cell / 10);
  const inset = wide / 2;
  for (const [colour, width] of [
    ['#fff', wide],
    ['#14151c', 0.4 * wide],
  ]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.strokeRect(column * cell + inset, row * cell + inset, cell - 2 * inset, cell - 2 * inset);
  }
}

/** The squares on the straight way from one to another: without the first, which is painted already. */
function squaresBetween([row, column], [toRow, toColumn]) {
  const steps = Math.max(Math.abs(toRow - row), Math.abs(toColumn - column));
  return Array.from({ length: steps }, (_, i) => {
    const share = (i + 1) / steps;
    return [row + Math.round(share * (toRow - row)), column + Math.round(share * (toColumn - column))];
  });
}
