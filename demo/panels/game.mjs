import { MODELS } from '../catalogue.mjs';
import { addressOf, addressReader, onAddress, readAddress } from '../parts/address-state.mjs';
import { button } from '../parts/controls.mjs';
import { h, whenNear } from '../parts/dom.mjs';
import { linkButton } from '../parts/link-button.mjs';
import { gallery } from '../parts/pictures.mjs';
import { freshSeed, MAX_SEED, randomOf } from '../parts/random.mjs';
import { taskRunner } from '../parts/task.mjs';
import { readTestImages } from '../parts/test-images.mjs';
import { workerClient } from '../parts/worker-client.mjs';

const MODEL = 'characters';
const ROUNDS = 10;
/** So many are invented: some may be the same, and the seed says how many are asked about. */
const SPARE = 12;

/**
 * A game: is this character one of the font, which the model has not seen, or did the model invent it? Ten rounds, the same for the same seed.
 *
 * @param {HTMLElement} root
 */
export function mountGame(root) {
  const client = workerClient();
  const task = taskRunner({ onChange: update });
  const picture = gallery({ label: 'No character yet' });
  const said = h('p.headline', { role: 'status' });
  const real = button('Real', () => answer(true), 'button.primary');
  const invented = button('Invented', () => answer(false), 'button.primary');
  const next = button('Next', goOn, 'button.primary');
  const again = button('Play again', () => begin(freshSeed()).then(focus));
  const link = linkButton('Share the score', { address, textOf });
  /** What was asked so far, as small pictures with a mark each, and room for the rest. */
  const past = h('ol.game-past');
  /** @type {{ levels: Uint8Array, isReal: boolean }[]} */
  let rounds = [];
  let answers = [];
  let seed = 0;
  const tray = h('div.tray', picture.element);
  root.append(
    h(
      'div.game',
      tray,
      h(
        'div.stage',
        said,
        h('div.buttons', real, invented, next, again, link.element),
        link.answer,
        past,
        task.element,
      ),
    ),
  );
  onAddress(root.id, open);
  update();
  whenNear(root, () => open(readAddress(root.id) ?? new Map()));

  function open(query) {
    const read = addressReader(query);
    const theirs = read.number('score', { min: 0, max: ROUNDS });
    const asked = read.number('seed', { min: 0, max: MAX_SEED });
    begin(asked ?? freshSeed(), asked === null ? null : theirs).then(() => task.say(read.complaint));
  }

  function isRight(isReal, i) {
    return isReal === rounds[i].isReal;
  }

  function score() {
    return answers.filter(isRight).length;
  }

  function isOver() {
    return rounds.length > 0 && answers.length === ROUNDS;
  }

  function address() {
    return addressOf(root.id, { seed, score: score() });
  }

  /** What is copied to be shared. */
  function textOf(href) {
    const squares = answers.map((isReal, i) => (isRight(isReal, i) ? '🟩' : '🟥')).join('');
    return `Real or invented? ${score()} of ${ROUNDS}\n${squares}\n${href}`;
  }

  function update() {
    const isTold = tray.className !== 'tray';
    real.disabled = invented.disabled = task.isBusy || rounds.length === 0;
    real.hidden = invented.hidden = isTold;
    next.hidden = isOver() || !isTold;
    again.hidden = link.element.hidden = !isOver();
  }

  function begin(newSeed, theirs = null) {
    return task.restart(async (signal) => {
      seed = newSeed;
      answers = [];
      rounds = [];
      past.replaceChildren(...Array.from({ length: ROUNDS }, () => h('li')));
      link.clear();
      tray.className = 'tray';
      said.textContent = 'The model invents some…';
      const job = { kind: 'sample', model: MODEL, numImages: SPARE, seed };
      const [images, { levels }] = await Promise.all([readTestImages(MODEL), client.run(job, { signal })]);
      const random = randomOf(seed);
      const size = levels.length / SPARE;
      let drawn = 0;
      const pools = [
        () => Uint8Array.from(levels.slice(drawn * size, ++drawn * size)),
        () => images[Math.floor(images.length * random())].levels,
      ];
      const asked = new Set();
      while (rounds.length < ROUNDS) {
        const isReal = random() < 0.5 || drawn === SPARE;
        const levels = pools[Number(isReal)]();
        if (asked.has(levels.join())) continue; // each is asked about once
        asked.add(levels.join());
        rounds.push({ levels, isReal });
      }
      said.textContent =
        theirs === null ? 'Which is it?' : `Somebody got ${theirs} of these ${ROUNDS}. Which is it?`;
      show();
    });
  }

  function show() {
    tray.className = 'tray';
    update();
    picture.show(rounds[answers.length].levels, MODELS[MODEL]);
    picture.element.setAttribute('aria-label', `Character ${answers.length + 1} of ${ROUNDS}`);
  }

  function focus() {
    [again, next, real].find(({ hidden }) => !hidden).focus({ preventScroll: true });
  }

  function goOn() {
    said.textContent = `And this? ${answers.length + 1} of ${ROUNDS}`;
    show();
    focus();
  }

  function answer(isReal) {
    const { levels, isReal: was } = rounds[answers.length];
    const verdict = isReal === was ? 'right' : 'wrong';
    const what = was ? 'real' : 'invented';
    const small = gallery({ label: what });
    small.show(levels, MODELS[MODEL]);
    past.children[answers.length].replaceWith(h(`li.${verdict}`, small.element, h('span', `was ${what}`)));
    answers.push(isReal);
    said.replaceChildren(h(`strong.${verdict}`, verdict), ` This one is ${what}. `);
    said.append(`${score()} of ${answers.length} right.`);
    if (isOver()) said.append(` Guessing gets ${ROUNDS / 2}.`);
    tray.className = `tray ${verdict}`; // until another one is shown
    update();
    focus();
  }
}
