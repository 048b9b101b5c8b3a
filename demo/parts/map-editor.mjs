import { shapesOf, TILE_PIXELS } from '../../examples/tiles/art.mjs';
import { brokenRules } from '../../examples/tiles/rules.mjs';
import { around, NAMES, SIDE, turned, turnedBack } from '../../examples/tiles/tiles.mjs';
import { colour, h } from './dom.mjs';
import { seconds } from './figures.mjs';
import { drawRing, pixelGrid } from './pixel-grid.mjs';

const SIZE = SIDE ** 2;
const PLACES = [...Array(SIZE).keys()];
/** Maps to choose from, and the particles of each that look ahead to tiles that stay: at first, and to mend flaws. */
const [TRIES, PARTICLES, MENDING] = [4, 16, 32];
/** How often flaws are mended, at most; and how far around a tile others are drawn again: from water, that is far enough to a mountain. */
const [ROUNDS, RADIUS] = [8, 3];
/** Rows below drawn tiles that these are made to fit: what lies further away has little to do with them. */
const FIT = 5;
/** Milliseconds from what is asked for, a tile or another temperature, until it is drawn: there may be more by then. */
const SETTLES = 200;
/** The brush that has tiles drawn again. */
export const AGAIN = 'again';

/**
 * A map to paint, of a world without end: what is painted stays, and the model draws what is around it to fit, while the hand goes on.
 *
 * @param {object} options
 * @param {import('./worker-client.mjs').Client} options.client
 * @param {ReturnType<typeof import('./task.mjs').taskRunner>} options.task
 * @param {string} options.hint
 * @param {(place: number) => number | 'again'} options.brush what it paints there
 * @param {() => number} [options.temperature]
 * @param {(breach: { rule: string }) => boolean} [options.isOn] whether a rule counts
 * @param {() => void} [options.onShow] another map is shown; where that is left out, flaws are not marked, and only what was painted last stays
 */
export function mapEditor({ client, task, hint, brush, temperature = () => 0.8, isOn = () => true, onShow }) {
  const grid = pixelGrid({ label: 'Map', hint, paint, describe, act });
  const picture = h('canvas', { width: SIDE * TILE_PIXELS, height: SIDE * TILE_PIXELS });
  /** @type {Uint8Array | null} the part of the world that is seen; null until one is drawn */
  let map = null;
  let broken = [];
  /** All tiles that were seen, and which of them were painted, by row and column. */
  const world = new Map();
  const painted = new Set();
  /** Where in the world the map begins. */
  let origin = [0, 0];
  /** What is painted, and not drawn yet: kinds, or AGAIN, by place. */
  const stroke = new Map();
  let mapSeed = 0;
  let seed = 0;
  /** What is asked for, and waits. @type {(() => void) | null} */
  let asked = null;
  grid.setSize(SIDE, SIDE);

  function paint(context, cell) {
    if (map === null) return;
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, 0, 0, cell * SIDE, cell * SIDE);
    const square = (place) => [cell * (place % SIDE), cell * Math.floor(place / SIDE)];
    for (const [place, kind] of stroke) {
      context.fillStyle = colour('--surface');
      if (kind === AGAIN) context.fillRect(...square(place), cell, cell);
      else context.drawImage(TILES[kind], ...square(place), cell, cell);
      if (!onShow) drawRing(context, cell, { row: Math.floor(place / SIDE), column: place % SIDE }); // also where no hand is seen
    }
    context.strokeStyle = '#d3141d';
    context.lineWidth = 3;
    for (const [x, y] of (onShow ? broken : []).flatMap(({ places }) => places).map(square)) {
      context.strokeRect(x + 1.5, y + 1.5, cell - 3, cell - 3);
    }
  }

  function describe(row, column) {
    const place = row * SIDE + column;
    if (map === null) return 'not drawn yet';
    const kind = stroke.get(place);
    if (kind !== undefined) return kind === AGAIN ? 'to be drawn again' : `${NAMES[kind]}, painted`;
    const breaches = broken.filter(({ places }) => places.includes(place)).map(({ rule }) => rule);
    const flaws = breaches.length === 0 ? '' : `, breaks a rule (${[...new Set(breaches)].join(', ')})`;
    return `${NAMES[map[place]]}${flaws}`;
  }

  /** Where in the world a place of the map is. */
  function keyOf(place, [top, left] = origin) {
    return `${top + Math.floor(place / SIDE)},${left + (place % SIDE)}`;
  }

  function show(now) {
    map = now;
    for (const place of PLACES) world.set(keyOf(place), map[place]);
    paintTiles(picture, map);
    judge();
  }

  /** Marks what breaks the rules that count. */
  function judge() {
    broken = flawsOf(map);
    grid.refresh();
    onShow?.();
  }

  function flawsOf(tiles) {
    return tiles === null ? [] : brokenRules(tiles).filter(isOn);
  }

  /** Another world begins. */
  function forget() {
    for (const past of [world, painted, stroke]) past.clear();
    origin = [0, 0];
  }

  /** Once nothing is drawn. Of all that is asked for until then, the last is done. */
  function soon(what) {
    const isWaiting = asked !== null;
    asked = what;
    if (!isWaiting) setTimeout(begin, SETTLES);
  }

  function begin() {
    if (task.isBusy) return setTimeout(begin, SETTLES);
    task.run(asked);
    asked = null;
  }

  function act(row, column, isFirst) {
    if (map === null) return;
    if (isFirst && !onShow && !task.isBusy) painted.clear();
    const place = row * SIDE + column;
    stroke.set(place, brush(place));
    soon(drawStroke);
  }

  function drawNew(signal, newSeed = mapSeed) {
    mapSeed = seed = newSeed;
    forget();
    return fill(signal, new Uint8Array(SIZE), PLACES);
  }

  /** Moves on over an edge, so many rows and columns: what was seen before is the same again, with what was painted meanwhile. */
  function go(signal, { rows, columns, orientation }) {
    for (const [place, kind] of stroke) {
      if (kind === AGAIN) continue;
      world.set(keyOf(place), kind);
      painted.add(keyOf(place));
    }
    const next = [origin[0] + rows, origin[1] + columns];
    const tiles = Uint8Array.from(PLACES, (place) => world.get(keyOf(place, next)) ?? 0);
    const holes = PLACES.filter((place) => !world.has(keyOf(place, next)));
    return fill(signal, tiles, holes, { next, orientation, taken: stroke });
  }

  /** What is painted stays, and is surrounded anew; flaws are mended. */
  function drawStroke(signal) {
    if (stroke.size + broken.length === 0) return; // what waited was drawn with the flaws
    const tiles = map.slice();
    const holes = [];
    const taken = [...stroke];
    for (const [place, kind] of taken) {
      if (kind === AGAIN) {
        painted.delete(keyOf(place));
        holes.push(place);
      } else {
        painted.add(keyOf(place));
        tiles[place] = kind;
        holes.push(...within(RADIUS, [place]));
      }
    }
    return fill(signal, tiles, holes, { taken });
  }

  /**
   * Draws places of a map, given all others, and shows it; then mends it in rounds, as long as it has flaws and nothing else is asked for: these and
   * what is around them are drawn again, each time in another order.
   */
  async function fill(signal, tiles, holes, { next = origin, orientation = 0, taken = [] } = {}) {
    const start = performance.now();
    task.say('Drawing…');
    const free = (places) => places.filter((place) => !painted.has(keyOf(place, next)));
    const drawn = await draw(signal, tiles, free(holes), orientation, PARTICLES);
    for (const [place, kind] of taken) if (stroke.get(place) === kind) stroke.delete(place);
    origin = next;
    show(drawn);
    let round = 0;
    for (; round < ROUNDS && broken.length > 0 && stroke.size === 0; round++) {
      task.say('Mending flaws…');
      const near = within(
        RADIUS + (round >> 1),
        broken.flatMap(({ places }) => places),
      );
      const mended = await draw(signal, map, free(near), round, MENDING);
      if (flawsOf(mended).length <= broken.length) show(mended);
    }
    if (stroke.size > 0) return; // and is drawn next
    const time = seconds((performance.now() - start) / 1000);
    task.say(
      broken.length > 0
        ? `${inWords(broken.length)} left: nothing it tried fits there. Paint what belongs between, such as a beach between sea and land, or mend again.`
        : holes.length + round === 0
          ? 'Seen before.'
          : `Drawn in ${time}.`,
    );
  }

  /** Of some tries at places, given all others, the one with the fewest flaws. */
  async function draw(signal, tiles, holes, orientation, lookAhead) {
    const known = new Uint8Array(SIZE).fill(1);
    for (const place of holes) known[place] = 0;
    if (!known.includes(0)) return tiles;
    const given = { levels: turned(tiles, orientation), known: turned(known, orientation) };
    const last = Math.floor(given.known.lastIndexOf(0) / SIDE);
    const rows = Math.min(SIDE, 4 * Math.ceil((last + 1 + FIT) / 4)); // a few heights, for each of which a network is made ready once
    const { levels } = await client.run(
      {
        kind: 'sample',
        model: 'tiles',
        numImages: TRIES,
        seed: seed++,
        temperature: temperature(),
        given,
        rows,
        lookAhead,
      },
      { signal },
    );
    const maps = Array.from({ length: TRIES }, (_, n) => {
      const whole = given.levels.slice();
      whole.set(levels.subarray(n * rows * SIDE, (n + 1) * rows * SIDE));
      return turnedBack(whole, orientation);
    });
    return maps.reduce((a, b) => (flawsOf(b).length < flawsOf(a).length ? b : a));
  }

  return {
    grid,
    act,
    get map() {
      return map;
    },
    get broken() {
      return broken;
    },
    judge,
    /** A map from elsewhere, where another world begins. */
    open(tiles) {
      forget();
      show(tiles);
    },
    soon,
    drawNew,
    go,
    mend: drawStroke,
  };
}

/** Places, with those up to so many steps away. */
function within(steps, places) {
  let all = places;
  for (let i = 0; i < steps; i++) {
    const sides = all.flatMap((place) => [place, ...around(place)]);
    all = [...new Set(sides)].filter((place) => place !== null);
  }
  return all;
}

/** A picture of each kind of tile. */
export const TILES = NAMES.map((_, kind) => {
  const canvas = h('canvas', { width: TILE_PIXELS, height: TILE_PIXELS, 'aria-hidden': 'true' });
  paintTiles(canvas, [kind]);
  return canvas;
});

function paintTiles(canvas, tiles) {
  const context = canvas.getContext('2d');
  for (const { x, y, width, height, fill } of shapesOf(tiles)) {
    context.fillStyle = fill;
    context.fillRect(x, y, width, height);
  }
}

export const inWords = (count) => (count === 0 ? 'no flaws' : count === 1 ? '1 flaw' : `${count} flaws`);
