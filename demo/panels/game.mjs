import { MODELS } from '../catalogue.mjs';
import { addressOf, addressReader, onAddress, readAddress } from '../parts/address-state.mjs';
import { button } from '../parts/controls.mjs';
import { h } from '../parts/dom.mjs';
import { linkButton } from '../parts/link-button.mjs';
import { gallery } from '../parts/pictures.mjs';
import { randomOf } from '../parts/random.mjs';
import { MAX_SEED } from '../parts/sampling-state.mjs';
import { taskRunner } from '../parts/task.mjs';
import { readTestImages } from '../parts/test-images.mjs';
import { workerClient } from '../parts/worker-client.mjs';

const MODEL = 'characters';
const ROUNDS = 10;

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
  const again = button('Play again', () => begin(freshSeed()));
  const link = linkButton('Share the score', { address });
  /** What was asked so far, as small pictures with a mark each. */
  const past = h('ol.game-past');
  /** @type {{ levels: Uint8Array, isReal: boolean }[]} */
  let rounds = [];
  let answers = [];
  let seed = 0;
  root.append(
    h(
      'div.game',
      h('div.tray', picture.element),
      h(
        'div.stage',
        said,
        h('div.buttons', real, invented, again, link.element),
        link.answer,
        past,
        task.element,
      ),
    ),
  );
  onAddress(root.id, open);
  open(readAddress(root.id) ?? new Map());

  function open(query) {
    const read = addressReader(query);
    const theirs = read.number('score', { min: 0, max: ROUNDS });
    const asked = read.number('seed', { min: 0, max: MAX_SEED });
    begin(asked ?? freshSeed(), asked === null ? null : theirs).then(() => task.say(read.complaint));
  }

  function score() {
    return answers.filter((isReal, i) => isReal === rounds[i].isReal).length;
  }

  function isOver() {
    return rounds.length > 0 && answers.length === ROUNDS;
  }

  function address() {
    return addressOf(root.id, { seed, score: score() });
  }

  function update() {
    real.disabled = invented.disabled = task.isBusy || rounds.length === 0;
    real.hidden = invented.hidden = isOver();
    again.hidden = link.element.hidden = !isOver();
  }

  function begin(newSeed, theirs = null) {
    return task.restart(async (signal) => {
      seed = newSeed;
      answers = [];
      rounds = [];
      past.replaceChildren();
      link.clear();
      said.textContent = 'The model invents some…';
      const job = { kind: 'sample', model: MODEL, numImages: ROUNDS, seed };
      const [images, { levels }] = await Promise.all([readTestImages(MODEL), client.run(job, { signal })]);
      const random = randomOf(seed);
      const size = levels.length / ROUNDS;
      const places = new Set();
      while (places.size < ROUNDS) places.add(Math.floor(images.length * random()));
      rounds = [...places].map((place, i) =>
        random() < 0.5
          ? { levels: images[place].levels, isReal: true }
          : { levels: Uint8Array.from(levels.slice(i * size, (i + 1) * size)), isReal: false },
      );
      said.textContent =
        theirs === null
          ? 'Real or invented?'
          : `Somebody got ${theirs} of these ${ROUNDS}. Real or invented?`;
      show();
    });
  }

  function show() {
    picture.show(rounds[answers.length].levels, MODELS[MODEL]);
    picture.element.setAttribute('aria-label', `Character ${answers.length + 1} of ${ROUNDS}`);
  }

  function answer(isReal) {
    const round = rounds[answers.length];
    const isRight = isReal === round.isReal;
    answers.push(isReal);
    const small = gallery({ label: round.isReal ? 'real' : 'invented' });
    small.show(round.levels, MODELS[MODEL]);
    past.append(
      h(isRight ? 'li.right' : 'li.wrong', small.element, h('span', round.isReal ? 'real' : 'invented')),
    );
    const verdict = `${isRight ? 'Right' : 'Wrong'}: that one was ${round.isReal ? 'real' : 'invented'}.`;
    if (isOver()) {
      said.textContent = `${verdict} You got ${score()} of ${ROUNDS}; guessing gets ${ROUNDS / 2}.`;
      update();
      again.focus({ preventScroll: true });
    } else {
      said.textContent = `${verdict} And this?`;
      show();
    }
  }
}

const freshSeed = () => Math.floor(MAX_SEED * Math.random());
