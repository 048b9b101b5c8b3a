const SVG = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT] = [400, 180];
const ROOM = { left: 40, right: 12, top: 10, bottom: 26 };

/**
 * A curve with points beside it, each with its error, of which one is the present one.
 *
 * @typedef {{ x: number, y: number, error: number }} Point
 * @typedef {{ from: number, to: number, ticks: number[] }} Axis
 *
 * @param {{ label: string, x: Axis, y: Axis, curve: number[], rule: number }} options `curve`: from one end of x to the other; `rule`: where a line goes down
 */
export function curveChart({ label, x, y, curve, rule }) {
  const across = (at) => ROOM.left + ((at - x.from) / (x.to - x.from)) * (WIDTH - ROOM.left - ROOM.right);
  const down = (at) =>
    HEIGHT - ROOM.bottom - ((at - y.from) / (y.to - y.from)) * (HEIGHT - ROOM.top - ROOM.bottom);
  const vertical = (at, from, to, name) =>
    shape('line', { class: name, x1: across(at), x2: across(at), y1: down(from), y2: down(to) });
  const line = curve.map((value, i) => {
    const at = x.from + (i / (curve.length - 1)) * (x.to - x.from);
    return `${across(at).toFixed(1)},${down(value).toFixed(1)}`;
  });
  const dots = shape('g', {});
  const element = shape(
    'svg',
    { class: 'curve-chart', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': label },
    ...y.ticks.flatMap((at) => [
      shape('line', {
        x1: ROOM.left,
        x2: WIDTH - ROOM.right,
        y1: down(at),
        y2: down(at),
      }),
      shape('text', { x: ROOM.left - 8, y: down(at) + 4, 'text-anchor': 'end' }, String(at)),
    ]),
    ...x.ticks.map((at) =>
      shape('text', { x: across(at), y: HEIGHT - 8, 'text-anchor': 'middle' }, String(at)),
    ),
    vertical(rule, y.from, y.to, 'rule'),
    shape('polyline', { class: 'curve', points: line.join(' ') }),
    dots,
  );

  /**
   * @param {Point[]} points
   * @param {number} present where the present one is
   */
  function show(points, present) {
    dots.replaceChildren(
      ...points.map(({ x: at, y: value, error }) =>
        shape(
          'g',
          { class: at === present ? 'point present' : 'point' },
          vertical(at, value - error, value + error, ''),
          shape('circle', { cx: across(at), cy: down(value), r: at === present ? 5 : 3.5 }),
        ),
      ),
    );
  }

  return { element, show };
}

function shape(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
