import { turned } from '../../kit/models/turned.mjs';
import { MODELS } from '../catalogue.mjs';
import { addressOf } from '../parts/address-state.mjs';
import { button, field, select } from '../parts/controls.mjs';
import { directionsFor } from '../parts/directions.mjs';
import { h, keepFocus } from '../parts/dom.mjs';
import { seconds } from '../parts/figures.mjs';
import { imagePicker } from '../parts/image-picker.mjs';
import { levelsOfText, textOfLevels } from '../parts/levels-text.mjs';
import { linkButton } from '../parts/link-button.mjs';
import { gallery } from '../parts/pictures.mjs';
import { pixelEditor } from '../parts/pixel-editor.mjs';
import { MAX_SEED } from '../parts/random.mjs';
import { taskRunner } from '../parts/task.mjs';
import { toggle } from '../parts/toggle.mjs';
import { workerClient } from '../parts/worker-client.mjs';

const SETS = ['digits-28', 'characters', 'clothes'];
const VARIANTS = 6;
/** So many times six are drawn, at most, until six differ. */
const MAX_ROUNDS = 5;
/** The orientation in which columns are rows. */
const TRANSPOSED = 4;
/** Models that draw in other orders than the picture's own: one is itself of all orientations, one is shown pictures in its own. */
const OTHERS = {
  'digits-conditional': {
    model: 'digits-orders',
    orders: [...Array(8).keys()],
    words: 'by a model of all orders, which takes no class',
  },
  characters: {
    model: 'characters-columns',
    orders: [TRANSPOSED],
    shownIn: TRANSPOSED,
    words: 'by a model that goes column by column',
  },
};

/**
 * Complete an image: what is rubbed out is drawn again, six times, each time otherwise.
 *
 * @param {HTMLElement} root
 */
export function mountCompleting(root) {
  const client = workerClient();
  const task = taskRunner({ onChange: update });
  const editor = pixelEditor({
    label: 'Picture to complete',
    kind: MODELS[SETS[0]],
    canRubOut: true,
    onChange() {
      changed();
      if (shown !== null) task.say('The picture has changed since. Fill in again.');
    },
    onPaint: () => picker.changed(),
  });
  const picker = imagePicker(root, {
    client,
    editor,
    sets: SETS,
    onPick: pick,
    onClass() {
      changed();
      if (shown !== null && !task.isBusy) fillIn();
    },
    async onOpened() {
      task.cancel();
      await running;
      await complete();
    },
  });
  const pictures = gallery({ label: 'No completions yet', columns: () => 3 });
  const outline = toggle('Outline what was drawn', { isOn: true, onchange: () => shown?.() });
  const link = linkButton('Copy link', { address: present });
  let seed = 0;
  /** Of what is shown, or of what comes next. */
  let linkedSeed = 1;
  let running = Promise.resolve();
  /** The model of what was filled in last. */
  let begun = '';
  /** Shows what is shown once more. */
  let shown = null;

  const isLower = (row) => row >= height() / 2;
  const isRight = (_, column) => column >= height() / 2;
  const rubs = Object.entries({
    'the lower half': isLower,
    'the left half': (_, column) => column < height() / 2,
    'the right half': isRight,
    'a band': (row) => row >= height() / 4 && row < height() / 2,
    all: () => true,
  }).map(([what, isOut]) => {
    const rub = button('', () => {
      editor.rubOut(isOut);
      fillIn();
    });
    rub.append(h('span.hidden-text', 'Rub out '), what);
    return rub;
  });
  const reset = button('Reset', () => keepFocus(editor.reset));
  const lookAhead = select(
    [
      { value: '0', text: 'no, quicker' },
      { value: '16', text: 'yes, with 16 tries' },
      { value: '64', text: 'yes, with 64 tries: better' },
    ],
    { onchange: changed },
  );
  const lookAheadField = field('Fit what lies below the gap?', lookAhead, ' ');
  const lookAheadNote = lookAheadField.querySelector('.hint');
  const fill = button('Fill in', fillIn, 'button.primary');
  const cancel = button('Cancel', task.cancel);
  root.append(
    h(
      'div.work.bench',
      h(
        'div.controls',
        picker.element,
        h('div.buttons.small', h('span', { 'aria-hidden': 'true' }, 'Rub out'), ...rubs, reset),
        editor.element,
        h('div.buttons', link.element),
        link.answer,
      ),
      h(
        'div.stage',
        h('div.buttons', fill, cancel),
        h('div.tray', pictures.element),
        task.element,
        outline.element,
        lookAheadField,
      ),
    ),
  );
  forget();

  function kind() {
    return MODELS[picker.name];
  }

  function height() {
    return kind().shape[0];
  }

  /** The model that completes the picture exactly where its own would not, and from which side it draws; null where there is none. */
  function otherModel() {
    const other = OTHERS[picker.name];
    const directions = other === undefined ? [] : directionsFor(editor.known, height(), other.orders);
    return directions.length > 0 ? { ...other, directions } : null;
  }

  /** Whether look-ahead would find anything. */
  function isKeptBelow() {
    const gap = editor.known.indexOf(0);
    return gap >= 0 && editor.known.includes(1, gap);
  }

  function particles() {
    return isKeptBelow() ? Number(lookAhead.value) : 0;
  }

  function pick(address) {
    if (editor.isWhole) editor.rubOut(picker.name === 'characters' ? isRight : isLower);
    forget();
    if (address !== undefined) takeGap(address);
    else if (picker.name !== begun) complete();
  }

  /** What was filled in is of another image. */
  function forget() {
    shown = null;
    pictures.show(new Int32Array(VARIANTS * editor.values.length), kind(), () => false);
    label('No completions yet');
    task.say('');
    task.fail('');
    update();
  }

  /** What an address says beside the image: what is rubbed out, and how it is filled. */
  function takeGap(address) {
    const size = editor.values.length;
    const gap = address.read('gap', `0 or 1 for each of ${size} pixels`, (text) => {
      const pixels = levelsOfText(text, { levels: 2, size });
      return pixels?.length === size ? pixels : null;
    });
    if (gap !== null) editor.known = gap;
    seed = (address.number('seed', { min: 1, max: MAX_SEED }) ?? seed + 1) - 1;
    lookAhead.value =
      address.choice(
        'particles',
        [...lookAhead.options].map(({ value }) => value),
      ) ?? '0';
  }

  /** The address of what is shown, or comes next. */
  function present() {
    return addressOf(root.id, {
      ...picker.query,
      gap: textOfLevels([...editor.known]),
      seed: linkedSeed,
      ...(particles() > 0 && { particles: particles() }),
    });
  }

  function changed() {
    linkedSeed = seed + 1;
    link.clear();
    update();
  }

  function label(words) {
    pictures.element.setAttribute('aria-label', words);
  }

  function update() {
    const { isBusy } = task;
    editor.disable(isBusy);
    picker.disable(isBusy);
    for (const rub of rubs) rub.disabled = isBusy;
    const other = otherModel();
    lookAhead.disabled = isBusy || other !== null;
    lookAheadField.hidden = other === null && !isKeptBelow();
    reset.disabled = isBusy || !editor.isChanged;
    fill.disabled = isBusy || editor.isWhole;
    link.element.disabled = isBusy || editor.isWhole;
    cancel.disabled = !isBusy;
    lookAheadNote.textContent =
      other !== null
        ? `Drawn ${other.directions.join(' or ')}, so that all pixels kept come first, ${other.words}.`
        : 'Without it, a pixel fits what lies above and to the left. With it, of many tries those that fit below go on, which takes longer.';
  }

  /** By the visitor's wish, who may be far above the answers on a phone. */
  function fillIn() {
    task.element.scrollIntoView({ block: 'nearest' });
    complete();
  }

  function complete() {
    if (editor.isWhole) return;
    begun = picker.name;
    running = task.run(async (signal) => {
      task.say('Filling in…');
      await picker.answered; // which class it is
      const image = kind();
      const {
        name: model,
        given: { condition },
      } = picker;
      const given = { levels: editor.values.slice(), known: editor.known };
      const size = given.known.length;
      const isKept = (pixel) => given.known[pixel] === 1;
      const isMarked = (pixel) => !isKept(pixel);
      const other = otherModel();
      const { shownIn = 0 } = other ?? {};
      /** As the model is shown them, or back: each of both orientations undoes itself. */
      const turn = (data) => turned({ data, shape: [data.length / size, ...image.shape] }, shownIn).data;
      const places = turn(Uint16Array.from({ length: size }, (_, pixel) => pixel));
      /** By their levels as text: each is there once. */
      const found = new Map();

      function show(images, isDrawn) {
        const values = new Int32Array(images.length * size);
        for (const [i, levels] of images.entries()) values.set(levels, i * size);
        shown = () => pictures.show(values, image, isDrawn, null, outline.input.checked ? isMarked : null);
        shown();
      }

      label('Completions, not drawn to the end');
      const first = (seed % MAX_SEED) + 1;
      linkedSeed = first;
      link.clear();
      let time = 0;
      let rounds = 0;
      for (; rounds < MAX_ROUNDS && found.size < VARIANTS; rounds++) {
        seed = (seed % MAX_SEED) + 1;
        const job = {
          kind: 'sample',
          numImages: VARIANTS,
          seed,
          given: { levels: turn(given.levels), known: turn(given.known) },
          ...(other !== null
            ? { model: other.model }
            : {
                model,
                ...(condition !== undefined && { classes: Array(VARIANTS).fill(condition) }),
                ...(particles() > 0 && { lookAhead: particles() }),
              }),
        };
        const result = await client.run(job, {
          signal,
          onReport({ done, levels }) {
            if (other !== null && shownIn === 0) return; // it draws in no single order
            const [side] = image.shape;
            task.tick(`${shownIn ? 'column' : 'row'} ${Math.ceil((done / size) * side)} of ${side}`);
            if (found.size > 0) return;
            const drawn = turn(levels).map((level, i) => (isKept(i % size) ? given.levels[i % size] : level));
            show(imagesOf(drawn, size), (pixel) => places[pixel] < done || isKept(pixel));
          },
        });
        time += result.seconds;
        for (const levels of imagesOf(turn(result.levels), size)) {
          if (found.size < VARIANTS) found.set(levels.join(), levels);
        }
        show([...found.values()], () => true);
      }
      label(`Completions: ${found.size}, seed ${first}`);
      task.say(
        found.size === VARIANTS
          ? `Six ways to go on, in ${seconds(time)}. Fill in again for others.`
          : `Ways to go on: ${found.size}; no other came up in ${rounds * VARIANTS} tries.`,
      );
    });
    return running;
  }
}

/** @returns {ArrayLike<number>[]} */
function imagesOf(values, size) {
  return Array.from({ length: values.length / size }, (_, i) => values.slice(i * size, (i + 1) * size));
}
