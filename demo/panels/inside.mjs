import { MODELS, sizeOf } from '../catalogue.mjs';
import { addressOf, addressReader, onAddress, readAddress } from '../parts/address-state.mjs';
import { classesOf } from '../parts/classes.mjs';
import { button, radios, slider } from '../parts/controls.mjs';
import { colour, h, onThemeChange, whenNear } from '../parts/dom.mjs';
import { queryOfImage, readImageState } from '../parts/image-state.mjs';
import { levelsOfText } from '../parts/levels-text.mjs';
import { linkButton } from '../parts/link-button.mjs';
import { percent, shadeName } from '../parts/odds.mjs';
import { followPicture, ownPicture } from '../parts/own-picture.mjs';
import { PATCH, patchOf, SPOT } from '../parts/patch.mjs';
import { gallery, pageLook } from '../parts/pictures.mjs';
import { pixelGrid } from '../parts/pixel-grid.mjs';
import { signedColour, signedColours, signedMap } from '../parts/signed-map.mjs';
import { taskRunner } from '../parts/task.mjs';
import { changeOf, gateOf, gatesOf, trailOf } from '../parts/trail.mjs';
import { whenCalm } from '../parts/when-calm.mjs';
import { workerClient } from '../parts/worker-client.mjs';
import spotsURL from '../spots.json?url';
import { softmax } from '../worker/evaluator.mjs';

/** The networks that are opened, by what they draw: gated ones of one-channel images. */
const NETWORKS = { 'syllables-16': 'syllables-gated', 'digits-conditional': 'digits-conditional' };
/** What is opened where the visitor has no such picture: one that the network drew. The pixel is where it begins. */
export const SHOWN = {
  name: 'syllables-16',
  condition: 9867, // tyulb
  picture:
    '0F10G1C00110J11010E1C0A10F1C0010D110E10E1G0F10A10010G1B0010J10010D10C10010E1G0F10C110H1B010M10G1F0B',
  pixel: 133,
};
/** From the answer back. */
const SCENES = ['chances', 'scores', 'block', 'gate', 'window'];
/** So many channels of a block are listed one by one. */
const LISTED = 4;

const sum = (values) => values.reduce((total, value) => total + value, 0);
const number = (value) => value.toFixed(2).replace('-', '−');
const signed = (value) => `${value < 0 ? '' : '+'}${number(value)}`;
/** How much is added to a number, as far as both are shown: what is shown adds up. */
const added = (from, amount) => (Math.round(100 * (from + amount)) - Math.round(100 * from)) / 100;
const largest = (values) => values.indexOf(Math.max(...values));

/**
 * Look inside: a network while it decides about one pixel of the visitor's picture. Which pixels each chance depends on; and from the chance back to
 * the one that it depends on most, in five scenes: the way that its change would go.
 *
 * @param {HTMLElement} root
 */
export function mountInside(root) {
  const client = workerClient();
  const task = taskRunner({ onChange() {} });
  const measure = whenCalm(task, measureNow);
  /** The picture: the model whose kind it is, its levels, its class. */
  const first = shownFirst();
  let shown = first;
  /** The pixel, and the level whose chance is looked at: null for the likeliest. */
  let [pixel, level] = [SHOWN.pixel, null];
  let [scene] = SCENES;
  /** With `others` of when the pixel `cause` is changed. @type {import('../parts/trail.mjs').Net & { cause: number } | null} */
  let net = null;
  let trail = null;
  /** What each detector looks for: see find-spots.mjs. */
  let spots = null;
  /** Logits of the pixel; and with each earlier pixel changed, null where that is out of sight. */
  let [logits, changed] = [[], []];
  /** What follows from these at a temperature: the chances of levels; and how much each pixel raises that of the chosen one. */
  let [chances, effects] = [[], []];

  const told = h('p.told', { role: 'status' });
  const grid = pixelGrid({
    label: 'The picture as far as it is drawn',
    hint: 'Choose a pixel to ask about it.',
    paint,
    describe,
    act(row, column) {
      const asked = row * width() + column;
      if (asked === pixel) return;
      pixel = asked;
      level = net = trail = null;
      changed = effects = []; // of the pixel before
      show();
      measure();
    },
  });
  const shades = h('div');
  let bars;
  const depends = h('p.inside-most');
  const link = linkButton('Copy link', {
    address: () => addressOf(root.id, { ...queryOfImage({ ...shown, number: null }), pixel, level, scene }),
  });
  const scenes = radios(
    'From the answer back to the picture',
    SCENES.map((value) => ({ value, label: value === 'gate' ? 'detector' : value })),
    { onchange: () => go(scenes.value) },
  );
  const temperature = slider('Temperature', { min: 0.25, max: 3, step: 0.25, value: 1 });
  temperature.input.addEventListener('input', showOther);
  const why = button('Why?', goOn, 'button.primary');
  /** A digit of the visitor's, in fewer pixels. */
  let offered = null;
  const mine = button('Open your digit, in 8 by 8 pixels', () => begin(offered));
  mine.hidden = true;
  const [area, legend, all] = root.querySelectorAll('.inside-scene, .scale, .scale ~ details');
  const [title, softmaxTable, figure] = area.querySelectorAll('h3, details > div, .inside-figure');
  const short = h('p.inside-short');
  const product = root.querySelector('.product');
  area.prepend(scenes.element, why);
  title.nextElementSibling.after(short);
  softmaxTable.before(temperature.element);
  area.append(link.element, link.answer);
  all.addEventListener('toggle', showMaps);
  area.hidden = legend.hidden = all.hidden = false;
  root.append(
    h(
      'div.work',
      h('div.stage.kept', told, grid.element, legend),
      h('div.stage', mine, shades, depends, area, task.element),
    ),
    all,
  );
  take(shown);
  const asked = readAddress(root.id);
  if (asked !== null) open(asked);
  onAddress(root.id, open);
  onThemeChange(show);
  whenNear(root, () => {
    const own = ownPicture();
    if (own !== null && readAddress(root.id) === null) follow(own);
    measure();
    followPicture(root, null, follow);
  });

  function kind() {
    return MODELS[shown.name];
  }

  function width() {
    return kind().shape[1];
  }

  function nameOf(level) {
    return shadeName(level, kind());
  }

  /** What the network was told to draw. */
  function className() {
    const { name, condition } = shown;
    return classesOf(name)[condition]?.one ?? 'a Korean syllable';
  }

  /** The visitor's picture, where there is a network for such. */
  function follow({ name, levels, condition }) {
    mine.hidden = name !== 'digits-28';
    if (name in NETWORKS) begin({ name, levels, condition });
    if (!mine.hidden) offered = { name: 'digits-conditional', levels: shrunk(levels), condition };
  }

  function begin(picture) {
    take(picture);
    const { levels } = picture;
    const half = levels.length / 2;
    pixel = levels.indexOf(Math.max(...levels.slice(half)), half); // of the most ink: something to ask about
    measure();
  }

  function take(picture) {
    shown = picture;
    level = net = trail = null;
    scene = SCENES[0];
    logits = changed = effects = [];
    told.textContent = `It is drawing ${className()}.`;
    bars = radios(
      'How likely is each shade? Choose one.',
      Array.from({ length: kind().levels }, (_, value) => ({
        value: String(value),
        label: h(
          'div.shade',
          h('i.swatch', { style: `background: rgb(${pageLook(kind())([value], 0)})` }),
          h('i.shade-bar'),
          h('b'),
          h('small.hidden-text', nameOf(value)),
        ),
      })),
      { className: 'shades', onchange: () => choose(Number(bars.value)) },
    );
    bars.element.addEventListener(
      'pointermove', // not pointerover: bars that come to lie under a resting pointer are not chosen
      ({ target }) => target.value && choose(Number(target.value)),
    );
    shades.replaceChildren(bars.element);
    grid.setSize(...kind().shape);
    show();
  }

  async function open(query) {
    const address = addressReader(query);
    const { name, levels, condition } = await readImageState(address, Object.keys(NETWORKS));
    take(levels === null || condition === null ? first : { name, levels, condition });
    pixel = address.number('pixel', { min: 0, max: sizeOf(kind().shape) - 1 }) ?? SHOWN.pixel;
    level = address.number('level', { min: 0, max: kind().levels - 1 });
    scene = address.choice('scene', SCENES) ?? SCENES[0];
    measure();
    task.fail(address.complaint);
  }

  /** Whatever is not known yet, as long as it is asked about. */
  async function measureNow(signal) {
    const of = shown;
    const job = {
      kind: 'inside',
      model: NETWORKS[of.name],
      levels: of.levels,
      pixel,
      condition: of.condition,
    };
    const isPast = () => shown !== of || pixel !== job.pixel;
    if (net === null) {
      const model = await client.run(job, { signal });
      if (isPast()) return;
      net = { ...model, width: width(), pixel };
      logits = net.values[net.output][pixel];
      level ??= largest(logits);
      show();
    }
    if (changed.length < pixel) {
      const each = await client.run({ ...job, kind: 'depends' }, { signal });
      if (isPast()) return;
      ({ changed } = each);
    }
    show();
    const i = cause();
    if (i < 0) return go(SCENES[0]);
    const other = await client.run({ ...job, levels: of.levels.with(i, opposite(i)) }, { signal });
    if (isPast()) return;
    net = { ...net, cause: i, others: other.values };
    show();
    spots ??= await (await fetch(spotsURL)).json();
    showScene();
  }

  /** The pixel that the chance depends on most; -1 where there is none. */
  function cause() {
    return effects.findIndex((effect) => effect && Math.abs(effect) >= scale());
  }

  /** What a pixel is not. */
  function opposite(i) {
    return kind().levels - 1 - shown.levels[i];
  }

  function choose(now) {
    if (now === level) return;
    level = now;
    showOther();
  }

  /** Another chance may depend on another pixel. */
  function showOther() {
    show();
    if (cause() !== net?.cause) measure();
  }

  function softened(logits) {
    return softmax(logits.map((logit) => logit / temperature.input.valueAsNumber));
  }

  /** How much the fullest colour raises the chance. */
  function scale() {
    return Math.max(0.01, ...effects.map(Math.abs));
  }

  function show() {
    if (net !== null) {
      chances = softened(logits);
      effects = changed.map((other) => other && chances[level] - softened(other)[level]);
      const far = (o) => Math.abs(o - level) > kind().levels / 4; // a grey is beside others that are as good
      const rival = largest(logits.map((logit, o) => (far(o) ? logit : Number.NEGATIVE_INFINITY)));
      trail = cause() >= 0 && cause() === net.cause ? { ...trailOf(net, level, rival), rival } : null;
      bars.value = String(level);
      showMaps();
    }
    for (const [i, row] of [...bars.element.querySelectorAll('.shade')].entries()) {
      row.style.setProperty('--width', net && chances[i] / Math.max(...chances));
      row.querySelector('b').textContent = net && percent(chances[i]);
    }
    const i = cause();
    depends.textContent =
      net === null || changed.length < pixel
        ? net && 'Looking…'
        : i < 0
          ? 'No single pixel changes this chance by more than 1%.'
          : `It depends most on the pixel ${placeOf(i)}, which is ${describeEffect(i)}`;
    showScene();
  }

  /** How many rows a pixel is below another, and columns to its right. */
  function wayTo(i, from) {
    return [Math.floor(i / width()) - Math.floor(from / width()), (i % width()) - (from % width())];
  }

  function placeOf(i) {
    const [down, right] = wayTo(i, pixel);
    const ways = [
      down && `${-down} row${down < -1 ? 's' : ''} above`,
      right && `${Math.abs(right)} to the ${right < 0 ? 'left' : 'right'}`,
    ];
    return ways.filter(Boolean).join(', ') || 'at “?”';
  }

  /** The chance as it is, and if a pixel were another. */
  function chancesBy(i) {
    return [chances[level], chances[level] - effects[i]].map(percent);
  }

  function describeEffect(i) {
    const [now, then] = chancesBy(i);
    const change =
      now === then ? `stay at ${now}` : `${effects[i] > 0 ? 'fall' : 'rise'} from ${now} to ${then}`;
    return `${nameOf(shown.levels[i])}. If it were ${nameOf(opposite(i))}, the chance of ${nameOf(level)} would ${change}.`;
  }

  function describe(row, column) {
    const i = row * width() + column;
    if (i === pixel) return 'the pixel being decided';
    if (i > pixel) return 'not drawn yet';
    const shade = nameOf(shown.levels[i]);
    const known = numberAt(i);
    if (known === undefined) return `${shade}${changed.length > 0 ? ', out of sight' : ''}`;
    if (!hopShown()) return describeEffect(i);
    return `${shade}, ${scene === 'gate' ? 'its number' : 'weight'} ${number(known)}`;
  }

  /** What the scene tells of a detector, where it is about one. */
  function hopShown() {
    return trail?.hops[{ gate: 0, window: trail.hops.length - 1 }[scene]];
  }

  /** What a pixel does: to the chance, or to the sum of that detector; or the detector's number there. Undefined where that is nothing. */
  function numberAt(i) {
    const hop = hopShown();
    if (hop === undefined) return changed[i] ? effects[i] : undefined; // out of sight
    if (scene === 'window') return hop.taps.find(({ place }) => place === i)?.weight;
    return net.values[hop.gate.node][i][hop.gate.channel];
  }

  /** The number that has the fullest colour. */
  function fullest() {
    const hop = hopShown();
    if (hop === undefined) return scale();
    return scene === 'gate' ? 1 : Math.max(...hop.taps.map(({ weight }) => Math.abs(weight)));
  }

  function paint(context, cell) {
    const colours = signedColours();
    const [ink, paper, blank, unseen, line] = ['--ink', '--paper', '--blank', '--unseen', '--field-line'].map(
      colour,
    );
    const look = pageLook(kind());
    const gate = hopShown()?.gate;
    const full = fullest();
    const corner = (i) => [(i % width()) * cell, Math.floor(i / width()) * cell];
    for (const i of shown.levels.keys()) {
      const [x, y] = corner(i);
      const square = (inset, fill) => {
        context.fillStyle = fill;
        context.fillRect(x + inset, y + inset, cell - 2 * inset, cell - 2 * inset);
      };
      const share = i > pixel ? Number.NaN : numberAt(i) / full; // not drawn yet
      const empty = i < pixel ? unseen : blank;
      const fill = Number.isNaN(share) ? empty : `rgb(${signedColour(colours, share)})`;
      square(1, i === pixel && !gate ? ink : fill);
      if (i < pixel) {
        const inset = cell * (changed.length > 0 ? 0.28 : 0.08);
        square(inset - cell / 18, line);
        square(inset, `rgb(${look(shown.levels, i)})`);
      }
      if (i !== pixel) continue;
      context.fillStyle = gate ? ink : paper;
      context.font = `600 ${cell * 0.6}px system-ui, sans-serif`;
      context.textAlign = 'center';
      context.fillText('?', x + cell / 2, y + cell * 0.72);
    }
    if (trail === null) return;
    context.strokeStyle = ink;
    const outline = (place, share) => {
      context.lineWidth = cell * share;
      context.strokeRect(...corner(place), cell, cell);
    };
    if (gate) outline(gate.place, 1 / 16);
    outline(net.cause, 1 / 8);
  }

  function go(to) {
    scene = to;
    showScene();
  }

  /** One scene on, and from the picture to the answer again. */
  function goOn() {
    go(SCENES[SCENES.indexOf(scene) + 1] ?? SCENES[0]);
    title.scrollIntoView({ block: 'nearest' }); // with what it says now: see the styles
  }

  function showScene() {
    scenes.value = scene;
    link.clear();
    grid.refresh();
    why.disabled = trail === null;
    scenes.element.disabled = cause() < 0;
    figure.style.visibility = trail ? '' : 'hidden'; // until it is of this pixel
    if (net === null) title.textContent = '…';
    if (net === null || (trail === null && scene !== SCENES[0])) return;
    const isLast = scene === 'window';
    why.textContent = isLast ? 'Restart' : 'Why?';
    const isFirst = shown === first && pixel === SHOWN.pixel && level === largest(logits);
    for (const words of root.querySelectorAll('[data-scene]'))
      words.hidden = !words.dataset.scene.includes(scene) || ('first' in words.dataset && !isFirst);
    const contents = { chances: ofChances, scores: ofScores, block: ofBlock, gate: ofGate, window: ofWindow };
    const [heading, ...parts] = contents[scene]();
    title.textContent = heading;
    short.textContent = isLast ? inShort() : '';
    figure.hidden = isLast; // the picture is its figure
    figure.replaceChildren(...parts);
  }

  /** Rows of a name and two texts: if the pixel that counts most were another, and as it is. */
  function compared(...rows) {
    const head = ['', `if that were ${nameOf(opposite(net.cause))}`, 'as it is'];
    return h(
      'table.compared',
      ...[head, ...rows].map(([name, ...texts]) =>
        h('tr', h(name ? 'th' : 'td', name), ...texts.map((text) => h('td', text))),
      ),
    );
  }

  function ofChances() {
    const t = temperature.input.valueAsNumber;
    const heading = `Chance of ${nameOf(level)}: ${percent(chances[level])}`;
    softmaxTable.replaceChildren(); // of another pixel
    if (trail === null) return [heading];
    const columns = [changed[net.cause], logits].map((logits) => {
      const powers = logits.map((logit) => Math.exp(logit / t));
      const sums = [powers[level], sum(powers)].map((x) => Number(x.toPrecision(4)).toLocaleString('en'));
      return [number(logits[level]), ...sums, percent(softened(logits)[level])];
    });
    const names = ['Score', t === 1 ? 'e to that power' : `e to that power ÷ ${t}`, 'All shades', 'Chance'];
    const rows = names.map((name, i) => [name, columns[0][i], columns[1][i]]);
    softmaxTable.replaceChildren(compared(...rows));
    return [heading, spotsOf(hereAndOther(pixel, ...chancesBy(net.cause)), String)];
  }

  function ofScores() {
    const { rival, blocks, block } = trail;
    return [
      `Scores: ${nameOf(level)}’s lead over ${nameOf(rival)}, ${way(leadAfter(0), leadAfter(blocks.length))}`,
      sumOf(
        leadAfter(0),
        blocks.map(({ amount }, b) => [`Block ${b + 1}`, amount, b === block]),
      ),
    ];
  }

  /** How far the level is ahead: as it would be, with what so many blocks add because it is as it is. */
  function leadAfter(count) {
    const { [level]: own, [trail.rival]: other } = changed[net.cause];
    return own - other + sum(trail.blocks.slice(0, count).map(({ amount }) => amount));
  }

  function ofBlock() {
    const { blocks, block, channel } = trail;
    const { node, amount, channels } = blocks[block];
    const moves = changeOf(net, node, pixel);
    const all = channels
      .map((change, k) => [
        `Detector ${k + 1}: change ${signed(moves[k])} × weight ${number(change / moves[k])}`,
        change,
        k === channel,
      ])
      .sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
    const listed = all.slice(0, LISTED);
    return [
      `Block ${block + 1}: ${signed(added(leadAfter(block), amount))}`,
      sumOf(leadAfter(block), [...listed, ['All others', amount - sum(listed.map(([, change]) => change))]]),
    ];
  }

  function ofGate() {
    const [{ gate }] = trail.hops;
    const [most, least, ...texts] = spots?.[NETWORKS[shown.name]][gate.node][gate.channel] ?? [];
    const elsewhere = texts.map((text) => Array.from(text, (digit) => Number.parseInt(digit, 36)));
    const [then, now] = numbersAt(gate);
    const rows = [
      ['Largest elsewhere:', elsewhere[0], most],
      ...hereAndOther(gate.place, now, then),
      ['Smallest elsewhere:', elsewhere[1], least],
    ].filter(([, levels]) => levels);
    rows.sort(([, , a], [, , b]) => b - a);
    product.textContent = gateOf(net, gate)[0].map(number).join(' × ');
    return [`${spotName(gate)}: ${way(then, now)}`, spotsOf(rows, number)];
  }

  /** Rows of what lies around a place, as it is and with the pixel that counts most changed, and what belongs to each. */
  function hereAndOther(place, now, then) {
    const other = opposite(net.cause);
    const [here, changed] = [shown.levels, shown.levels.with(net.cause, other)].map((levels) =>
      patchOf(levels, width(), place),
    );
    return [
      ['Here:', here, now],
      [`If the framed pixel were ${nameOf(other)}:`, changed, then],
    ];
  }

  /** Rows of a label, pictures as {@link patchOf} makes them, and a value. */
  function spotsOf(rows, say) {
    const seen = rows.map(([label, levels, value]) => {
      const patches = gallery({ label, columns: (count) => count });
      patches.show(levels, { ...kind(), shape: PATCH }, (place) => place < SPOT, SPOT);
      return h('tr', h('td', h('div', label), h('b', say(value))), h('td', patches.element));
    });
    return h('table.spots', ...seen);
  }

  function ofWindow() {
    const { tap } = trail.hops.at(-1);
    return [`Window: ink ${placeOf(tap.place)} counts ${signed(tap.weight)}`];
  }

  /** The whole way, once it is back at the picture. */
  function inShort() {
    const { blocks, block, channel, hops } = trail;
    const last = hops.length - 1;
    const { gate, taps } = hops[last];
    const sorted = taps.toSorted((a, b) => a.weight - b.weight);
    const [none, ink] = [0, -1].map((end) => placeOf(sorted.at(end).place));
    const onward = last > 0 ? `, and so ${spotName(hops[0].gate)} ${gives(0)}` : '';
    const speaks = blocks[block].channels[channel] > 0 ? 'for' : 'against'; // the detector next to the answer
    const [now, then] = chancesBy(net.cause);
    return `In numbers: ${spotName(gate)} adds up most with ink ${ink}, and no ink ${none}. The framed pixel is ${nameOf(shown.levels[net.cause])}, so the detector ${gives(last)}${onward}, which speaks ${speaks} ${nameOf(level)}. With others, ${nameOf(level)} comes to ${now}, from ${then}.`;
  }

  /** How a detector's number moves because that pixel is as it is. */
  function gives(hop) {
    const [then, now] = numbersAt(trail.hops[hop].gate).map(number);
    return `gives ${now} instead of ${then}`;
  }

  /** From what a number would be to what it is. */
  function way(then, now) {
    return `${number(then)} → ${number(now)}`;
  }

  /** A number as it would be, and as it is. */
  function numbersAt({ node, place, channel }) {
    return [net.others, net.values].map((values) => values[node][place][channel]);
  }

  function spotName({ node, channel }) {
    return `detector ${channel + 1} of ${blockName(node).split(',', 1)}`;
  }

  function blockName(node) {
    const before = gatesOf(net).filter((gate) => gate <= node);
    return `block ${before.length}${before.at(-1) === node ? '' : ', rows above'}`;
  }

  /** The gates of all blocks, where they are unfolded; outlined what the trail goes through. */
  function showMaps() {
    if (!all.open || net === null) return;
    const colours = signedColours();
    const rows = net.nodes.flatMap(({ op, size }, node) => {
      if (op !== 'gate') return [];
      const canvases = Array.from({ length: size }, (_, channel) => signedMap(net, colours, node, channel));
      for (const { gate } of trail?.hops ?? [])
        if (gate.node === node) canvases[gate.channel].className = 'followed';
      return [h('h4', blockName(node)), h('div.maps', ...canvases)];
    });
    all.lastElementChild.replaceChildren(...rows);
  }
}

/** How large a number is beside others, for styles. */
const shareOf = (amount, all) => ({ style: `--share: ${amount / Math.max(1e-9, ...all.map(Math.abs))}` });

/** A sum as bars: how much each term, `[name, amount, isMost]`, adds to what was there before. */
function sumOf(from, terms) {
  const amounts = terms.map(([, amount]) => amount);
  const row = (tag, name, bar, amount) =>
    h(tag, h('span', name), h('i', bar), h('b', signed(added(from, amount))));
  const total = row('li.total', 'Together', {}, sum(amounts));
  const rows = terms.map(([name, amount, isMost]) => {
    const made = row(isMost ? 'li.most' : 'li', name, shareOf(amount, amounts), amount);
    from += amount;
    return made;
  });
  return h('ul.sum', ...rows, total);
}

const shownFirst = () => {
  const { name, condition, picture } = SHOWN;
  const { shape, levels } = MODELS[name];
  return { name, condition, levels: Uint8Array.from(levelsOfText(picture, { levels, size: sizeOf(shape) })) };
};

/** A digit of 28 by 28 pixels in 8 by 8, without its margin: each the mean of three by three, in 17 levels for 16. */
function shrunk(levels) {
  return Uint8Array.from({ length: 64 }, (_, i) => {
    const corner = (2 + 3 * Math.floor(i / 8)) * 28 + 2 + 3 * (i % 8);
    const nine = [0, 1, 2, 28, 29, 30, 56, 57, 58].map((k) => levels[corner + k]);
    return Math.round((16 / 15) * (sum(nine) / 9));
  });
}
