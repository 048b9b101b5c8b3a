import { MODELS, sizeOf, UNLISTED } from '../catalogue.mjs';
import { addressOf, addressReader, onAddress, readAddress } from '../parts/address-state.mjs';
import { button, field, select } from '../parts/controls.mjs';
import { dieStrip, levelAt } from '../parts/die-strip.mjs';
import { download, h, keepFocus, whenNear } from '../parts/dom.mjs';
import { drawingPicture } from '../parts/drawing-picture.mjs';
import { levelsOfText, textOfLevels } from '../parts/levels-text.mjs';
import { linkButton } from '../parts/link-button.mjs';
import { nextBars } from '../parts/next-bars.mjs';
import { percent, shadeName } from '../parts/odds.mjs';
import { offerPicture } from '../parts/own-picture.mjs';
import { freshSeed } from '../parts/random.mjs';
import { isMotionReduced } from '../parts/replay.mjs';
import { taskRunner } from '../parts/task.mjs';
import { workerClient } from '../parts/worker-client.mjs';

const ID = 'drawing';
const QUESTION = 'How likely is each shade of the next pixel?';
/** What can be drawn by hand. A picture begins with rows that the model has drawn, up to the first pixel after them that is open. */
const KINDS = {
  'digits-28': { noun: 'Digit', firstRows: 10, firstClass: 3, firstSeed: 4 },
  characters: { firstRows: 12, firstClass: null, firstSeed: 1 },
  clothes: { noun: 'Kind', firstRows: 8, firstClass: 9, firstSeed: 1 },
  'syllables-16': { noun: 'Syllable', firstRows: 8, firstClass: 10_588, firstSeed: 1 },
  'digits-conditional': { noun: 'Digit', firstRows: 2, firstClass: 3, firstSeed: 4 },
  mine: { firstRows: 2, firstClass: null, firstSeed: 1 },
};
const LISTED = Object.keys(KINDS).slice(0, 3);
/** Rows from which on a picture that runs by itself is shown row by row. */
const LARGE = 24;
/** A pixel is open that could well be one shade or another: so much of the bits of a pixel of which nothing is known. */
const OPEN = 0.36;
/** Bits of a picture that is drawn too often to be called new. */
const COMMON = 20;
/** Milliseconds: how long the die is seen to lie, when rolled by hand and when it runs by itself; and how long a row is. */
const [LIES, LIES_SHORTLY, ROW] = [450, 80, 45];

/**
 * Draw one yourself: a picture that grows pixel by pixel, each chosen by the visitor or by a die that is weighted by the model.
 *
 * @param {HTMLElement} root
 */
export function mountDrawing(root) {
  const client = workerClient();
  const task = taskRunner({ onChange: update });
  const picture = drawingPicture();
  const bars = nextBars({ onChoose: choose });
  const strip = dieStrip();
  /** What is drawn. `chances[i]` is of each level of value i, where they are known; `bits[i]` is what value i took. */
  let drawing = null;
  let isRunning = false;
  /** Whether it was asked to pause, and still measures what is drawn. */
  let isPausing = false;

  const model = select(
    LISTED.map((value) => ({ value, text: MODELS[value].title })),
    { onchange: () => begin({ model: model.value }) },
  );
  const kindSelect = select([], {
    onchange: () => begin({ model: model.value, condition: Number(kindSelect.value) }),
  });
  const kindField = field('Digit', kindSelect);
  const roll = button('Roll the die', rollOnce, 'button.primary');
  const run = button('Let it run', () => (isRunning ? stop() : isPausing || runOn()));
  const undo = button('Undo', takeBack);
  const again = button('Start again', () => begin({ model: drawing.model, condition: drawing.condition }));
  const share = linkButton('Share', { address: addressNow, className: 'button.primary' });
  const film = button('Download a GIF', keepFilm);
  const title = h('h2.drawing-title', { tabIndex: -1 }, QUESTION);
  const chances = h('div.drawing-chances', bars.element, strip.element);
  const odds = h('p.drawing-odds');
  const verdict = h('p');
  const finish = h('div.drawing-finish', { hidden: true }, verdict, h('div.buttons', film));
  root.append(
    h(
      'div.drawing',
      h('div.drawing-left', h('div.drawing-choice', field('Draw', model), kindField), picture.element),
      h(
        'div.drawing-right',
        title,
        chances,
        finish,
        h('div.buttons', share.element, roll, run, undo, again),
        share.answer,
        odds,
        task.element,
      ),
    ),
  );
  picture.element.addEventListener('click', bars.focus); // the next pixel looks as if it could be clicked
  share.element.hidden = true; // until there is a whole picture
  bars.setKind(MODELS[model.value]);
  update();
  onAddress(ID, open);
  const asked = readAddress(ID);
  if (asked !== null) open(asked);
  else whenNear(root, () => begin({ model: model.value }, KINDS[model.value].firstSeed));

  function entry() {
    return MODELS[drawing.model];
  }

  function isWhole() {
    return drawing !== null && drawing.values.length === sizeOf(entry().shape);
  }

  function addressNow() {
    const { model, condition, values } = drawing;
    const own = condition === null ? {} : { class: condition };
    return addressOf(ID, { model, ...own, values: textOfLevels(values) });
  }

  function update() {
    const isOn = isRunning || isPausing; // the button that pauses stays enabled, and so keeps the keyboard
    const isBusy = task.isBusy && !isOn;
    const isOff = isBusy || drawing === null || isWhole();
    if (drawing !== null && drawing.model !== model.value) showChoice(drawing); // where another could not be drawn
    model.disabled = kindSelect.disabled = task.isBusy;
    bars.disable(task.isBusy || drawing === null);
    roll.disabled = isOff || isOn;
    run.disabled = isOff;
    run.textContent = isOn ? 'Pause' : 'Let it run';
    undo.disabled = task.isBusy || drawing === null || drawing.values.length === 0;
    again.disabled = task.isBusy || drawing === null;
  }

  /** Shows what is drawn. `chances` of the next value are there, but where the picture is whole. */
  function show() {
    const { values, bits, chances: known } = drawing;
    picture.show(values, entry());
    share.clear();
    if (isWhole()) offerWhole();
    const sum = bits.reduce((total, value) => total + value, 0);
    const whole = isWhole();
    const isNew = sum > COMMON && !drawing.isFromAddress;
    title.textContent = whole ? `A picture ${isNew ? 'nobody has drawn before' : 'drawn here'}` : QUESTION;
    chances.hidden = whole;
    finish.hidden = share.element.hidden = !whole;
    roll.hidden = run.hidden = whole;
    if (!whole) {
      bars.setKind(entry());
      bars.show(known[values.length]);
      strip.show(known[values.length], entry());
    }
    odds.hidden = whole;
    odds.replaceChildren(
      ...(values.length === 0
        ? ['Nothing is drawn yet.']
        : [
            h('strong', `${sum.toFixed(1)} bits`),
            ' so far, to store this picture. The less likely a pixel was, the more bits it takes.',
          ]),
    );
    verdict.replaceChildren(
      h('strong', `This picture takes ${sum.toFixed(1)} bits to store.`),
      sum > COMMON
        ? ` The network draws exactly this one as rarely as a coin comes up heads ${Math.round(sum)} times in a row: that is its likelihood.`
        : ' The fewer, the more often the network draws exactly this one.',
    );
  }

  /** Of the picture as it was drawn, to share. */
  function keepFilm() {
    return task.run(async () => {
      share.say('Making the film…');
      const { filmOf } = await import('../parts/film.mjs');
      download(filmOf(drawing.values, entry()), `${drawing.model}.gif`);
      share.say('The film is in your downloads.');
    });
  }

  /** For the other panels, as it is now: it may be taken back here. */
  function offerWhole() {
    const { model: name, condition, values } = drawing;
    const picture = { name, levels: Uint8Array.from(values), number: null, condition };
    offerPicture(() => picture);
  }

  /** Shows the choice of what a model draws. */
  function showChoice({ model: name, condition }) {
    if (![...model.options].some(({ value }) => value === name))
      model.append(h('option', { value: name }, MODELS[name].title));
    model.value = name;
    kindField.hidden = condition === null;
    kindField.querySelector('label').textContent = KINDS[name].noun;
    const { groups } = MODELS[name];
    again.hidden = condition !== null && groups.length === 0; // a syllable begins in one way
    kindSelect.replaceChildren(
      ...(again.hidden
        ? [h('option', { value: condition, text: String.fromCharCode(0xac00 + condition) })]
        : groups.map((text, value) => h('option', { value, text }))),
    );
    kindSelect.value = condition;
  }

  function begin(choice, seed = freshSeed()) {
    return task.run((signal) => drawFirstRows(signal, choice, seed));
  }

  /** A new picture, of which the model draws the first rows. */
  async function drawFirstRows(signal, { model: name, condition = KINDS[name].firstClass }, seed) {
    task.say(drawing?.model === name ? '' : 'The model is being loaded…');
    showChoice({ model: name, condition });
    const job = { kind: 'sample', model: name, numImages: 1, seed, ...classesOf(condition) };
    const { levels } = await client.run(job, { signal });
    const first = KINDS[name].firstRows * MODELS[name].shape[1];
    await goOnFrom(first, { name, condition, values: [...levels] }, signal);
  }

  /** A picture up to its first open pixel from one on; or up to that one, where none is open. */
  async function goOnFrom(first, { name, condition, values }, signal, isFromAddress = false) {
    const { bits, chances: all } = await measure(name, condition, values, signal);
    const found = all.findIndex(
      (chances, i) => i >= first && entropyOf(chances) >= OPEN * Math.log2(chances.length),
    );
    const start = found < 0 ? first : found;
    drawing = {
      model: name,
      condition,
      values: values.slice(0, start),
      bits: bits.slice(0, start),
      chances: all.slice(0, start + 1),
      isFromAddress,
    };
    task.say('');
    show();
  }

  /** The picture of an address; what is wrong with it is said, and left out. */
  function open(query) {
    isRunning = false;
    return task.restart(async (signal) => {
      const { name, condition, values, from, complaint } = readState(query);
      if (values === null) await drawFirstRows(signal, { model: name, condition }, KINDS[name].firstSeed);
      else {
        task.say('');
        showChoice({ model: name, condition });
        await goOnFrom(from ?? values.length, { name, condition, values }, signal, true);
      }
      task.fail(complaint);
    });
  }

  /** What each value took, and the chances of each level of these and of the next. */
  async function measure(name, condition, values, signal) {
    const { shape, levels: count } = MODELS[name];
    const levels = new Uint8Array(sizeOf(shape));
    levels.set(values);
    const job = { kind: 'likelihood', model: name, levels, ...(condition !== null && { condition }) };
    const { bits, probabilities } = await client.run(job, { signal });
    return {
      bits: [...bits.subarray(0, values.length)],
      chances: Array.from(levels, (_, i) => probabilities.subarray(i * count, (i + 1) * count)).slice(
        0,
        values.length + 1,
      ),
    };
  }

  /** Draws the next pixel, and asks what may follow. */
  async function put(level, signal) {
    drawing.isFromAddress = false;
    const { model, condition, values, bits, chances } = drawing;
    const now = [...values, level];
    const next = [];
    if (now.length < sizeOf(entry().shape)) {
      const job = { kind: 'next', model, values: now, ...(condition !== null && { condition }) };
      next.push((await client.run(job, { signal })).probabilities);
    }
    // Only now: where that fails, the picture is as it was.
    bits.push(-Math.log2(chances[values.length][level]));
    values.push(level);
    chances.splice(values.length, Number.POSITIVE_INFINITY, ...next); // those after it were of other values
    show();
  }

  function choose(level) {
    if (task.isBusy) return;
    return finishing(async (signal) => {
      task.say('');
      await put(level, signal);
    });
  }

  function rollOnce() {
    return finishing(async (signal) => {
      const level = await fall(isMotionReduced() ? 0 : LIES);
      const chance = drawing.chances[drawing.values.length][level];
      await put(level, signal);
      task.say(`The die fell on ${shadeName(level, entry())}, which had ${percent(chance)}.`);
    });
  }

  /** The die falls, and is seen to lie for so many milliseconds. Gives the level it fell on. */
  async function fall(milliseconds) {
    const chances = drawing.chances[drawing.values.length];
    const share = Math.random();
    const level = levelAt(chances, share);
    strip.point(share);
    bars.hit(level);
    if (milliseconds > 0) await wait(milliseconds);
    return level;
  }

  function runOn() {
    isRunning = true;
    return finishing(async (signal) => {
      task.say('');
      try {
        if (entry().shape[0] >= LARGE) await runByRow(signal);
        else while (isRunning && !isWhole()) await put(await fall(LIES_SHORTLY), signal);
      } finally {
        isRunning = isPausing = false;
      }
    });
  }

  function stop() {
    isRunning = false;
    isPausing = true;
    update();
  }

  /** Row by row, as fast as they come. */
  async function runByRow(signal) {
    const { model, condition, values } = drawing;
    const kind = MODELS[model];
    const size = sizeOf(kind.shape);
    const given = { levels: new Uint8Array(size), known: new Uint8Array(size).fill(1, 0, values.length) };
    given.levels.set(values);
    const seed = freshSeed();
    const job = { kind: 'sample', model, numImages: 1, seed, ...classesOf(condition), given };
    let [drawn, done] = [given.levels, values.length];
    const onReport = (report) => ([drawn, done] = [report.levels, report.done]);
    const halt = new AbortController();
    const whole = client.run(job, { signal: AbortSignal.any([signal, halt.signal]), onReport });
    whole.then(
      ({ levels }) => ([drawn, done] = [levels, size]),
      () => {},
    );
    let shown = values.length;
    while (isRunning && shown < size) {
      const next = Math.min(size, (Math.floor(shown / kind.shape[1]) + 1) * kind.shape[1]);
      if (next <= done) {
        shown = next;
        picture.show([...drawn.subarray(0, shown)], kind);
      }
      await Promise.race([wait(ROW), done < size ? whole : wait(ROW)]);
    }
    halt.abort();
    task.say('Measuring…');
    const now = [...drawn.subarray(0, shown)];
    drawing = { model, condition, values: now, ...(await measure(model, condition, now, signal)) };
    task.say('');
    show();
  }

  function takeBack() {
    drawing.values.pop();
    drawing.bits.pop();
    task.say('');
    keepFocus(() => {
      show();
      update();
    });
  }

  /** Runs what may make the picture whole: then the keyboard is where that is said. */
  async function finishing(what) {
    const wasHere = root.contains(document.activeElement);
    await task.run(what);
    if (isWhole() && wasHere) title.focus({ preventScroll: true });
  }
}

/**
 * What an address asks to be drawn; what is wrong with it is left out.
 *
 * @param {Map<string, string>} query
 * @returns {{ name: string, condition: number | null, values: number[] | null, from: number | null, complaint: string }} `name` of the model; the values
 * of the first pixels, null where the address has none; `from` which on the first open one is sought
 */
function readState(query) {
  const address = addressReader(query);
  const name = address.choice('model', LISTED, UNLISTED) ?? LISTED[0];
  const { numClasses, shape, levels } = MODELS[name];
  const size = sizeOf(shape);
  const condition =
    numClasses === null
      ? null
      : (address.number('class', { min: 0, max: numClasses - 1 }) ?? KINDS[name].firstClass);
  const values = address.read('values', `at most ${size} pixels of ${levels} shades`, (text) =>
    levelsOfText(text, { levels, size }),
  );
  const from = address.number('from', { min: 0, max: size });
  return { name, condition, values, from, complaint: address.complaint };
}

/** What a job that draws is told. */
const classesOf = (condition) => (condition === null ? {} : { classes: [condition] });

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const entropyOf = (chances) => chances.reduce((sum, p) => (p > 0 ? sum - p * Math.log2(p) : sum), 0);
