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
import { MAX_SEED } from '../parts/sampling-state.mjs';
import { taskRunner } from '../parts/task.mjs';
import { toggle } from '../parts/toggle.mjs';
import { workerClient } from '../parts/worker-client.mjs';

const SETS = ['digits-28', 'characters', 'clothes'];
const VARIANTS = 6;
/** So many times six are drawn, at most, until six differ. */
const MAX_ROUNDS = 5;
const NUMBERS = ['No', 'One', 'Two', 'Three', 'Four', 'Five', 'Six'];

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
    onChange: changed,
    onPaint: () => picker.changed(),
  });
  const picker = imagePicker(root, {
    client,
    editor,
    sets: SETS,
    onPick: pick,
    onClass: changed,
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
  let hasBegun = false;
  /** Shows what is shown once more. */
  let shown = null;

  const isLower = (row) => row >= height() / 2;
  const half = button('Rub out the lower half', () => editor.rubOut(isLower));
  const left = button('Rub out the left half', () => editor.rubOut((_, column) => column < height() / 2));
  const band = button('Rub out a band', () =>
    editor.rubOut((row) => row >= Math.round(height() / 4) && row < Math.round((5 * height()) / 8)),
  );
  const all = button('Rub out all', () => editor.rubOut(() => true));
  const reset = button('Reset', () => keepFocus(editor.reset));
  const lookAhead = select(
    [
      { value: '0', text: 'ignored: quickest' },
      { value: '16', text: 'fitted: look-ahead with 16 particles' },
      { value: '64', text: 'fitted better: 64 particles' },
    ],
    { onchange: changed },
  );
  const lookAheadField = field('Pixels kept below the gap', lookAhead, ' ');
  const lookAheadNote = lookAheadField.querySelector('.hint');
  const fill = button('Fill in', complete, 'button.primary');
  const whole = h('span.hint', 'Rub something out first.');
  const cancel = button('Cancel', task.cancel);
  root.append(
    h(
      'div.work.bench',
      h(
        'div.controls',
        picker.element,
        editor.element,
        h('div.buttons', half, left, band, all, reset, link.element),
        link.answer,
      ),
      h(
        'div.stage',
        h('div.buttons', fill, cancel, whole),
        h('div.tray', pictures.element),
        task.element,
        outline.element,
        lookAheadField,
      ),
    ),
  );
  forget();
  update();

  function kind() {
    return MODELS[picker.name];
  }

  function height() {
    return kind().shape[0];
  }

  /** From which side the model of all orders draws, where it completes the digit exactly and the other would not. */
  function directions() {
    return picker.name === 'digits-conditional' ? directionsFor(editor.known, height()) : [];
  }

  function pick(address) {
    if (editor.isWhole) editor.rubOut(isLower);
    forget();
    if (address !== undefined) takeGap(address);
    else if (!hasBegun) complete();
  }

  /** What was filled in is of another image. */
  function forget() {
    shown = null;
    pictures.show(new Int32Array(VARIANTS * editor.values.length), kind(), () => false);
    label('No completions yet');
    task.say('');
    task.fail('');
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
    const particles = lookAhead.value;
    return addressOf(root.id, {
      ...picker.query,
      gap: textOfLevels([...editor.known]),
      seed: linkedSeed,
      ...(particles !== '0' && { particles }),
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
    half.disabled = left.disabled = band.disabled = all.disabled = isBusy;
    const inOrders = directions();
    lookAhead.disabled = isBusy || inOrders.length > 0;
    reset.disabled = isBusy || !editor.isChanged;
    fill.disabled = isBusy || editor.isWhole;
    link.element.disabled = isBusy || editor.isWhole;
    cancel.disabled = !isBusy;
    whole.hidden = !editor.isWhole;
    lookAheadNote.textContent =
      inOrders.length > 0
        ? `Drawn ${inOrders.join(' or ')}, so that all pixels kept come first, by a model of all orders, which takes no class.`
        : noteOf(Number(lookAhead.value), editor.known);
  }

  function complete() {
    hasBegun = true;
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
      const particles = Number(lookAhead.value);
      const inOrders = directions().length > 0;
      /** By their levels as text: each is there once. */
      const found = new Map();

      function show(images, isDrawn) {
        const values = new Int32Array(images.length * size);
        for (const [i, levels] of images.entries()) values.set(levels, i * size);
        shown = () => pictures.show(values, image, isDrawn, null, outline.input.checked ? isMarked : null);
        shown();
      }

      label('Completions, not drawn to the end');
      const first = seed + 1;
      linkedSeed = first;
      link.clear();
      let time = 0;
      let rounds = 0;
      for (; rounds < MAX_ROUNDS && found.size < VARIANTS; rounds++) {
        const job = {
          kind: 'sample',
          numImages: VARIANTS,
          seed: ++seed,
          given,
          ...(inOrders
            ? { model: 'digits-orders' }
            : {
                model,
                ...(condition !== undefined && { classes: Array(VARIANTS).fill(condition) }),
                ...(particles > 0 && { lookAhead: particles }),
              }),
        };
        const result = await client.run(job, {
          signal,
          onReport({ done, levels }) {
            if (inOrders) return; // it draws in no single order
            task.tick(`row ${Math.ceil((done / size) * image.shape[0])} of ${image.shape[0]}`);
            if (found.size > 0) return;
            const drawn = levels.map((level, i) => (isKept(i % size) ? given.levels[i % size] : level));
            show(imagesOf(drawn, size), (pixel) => pixel < done || isKept(pixel));
          },
        });
        time += result.seconds;
        for (const levels of imagesOf(result.levels, size)) {
          if (found.size < VARIANTS) found.set(levels.join(), levels);
        }
        show([...found.values()], () => true);
      }
      const count = NUMBERS[found.size];
      const isOne = found.size === 1;
      label(`${count} ${isOne ? 'completion' : 'completions'}, seed ${first}`);
      task.say(
        found.size === VARIANTS
          ? `Six ways to go on, in ${seconds(time)}. Fill in again for others.`
          : `${count} ${isOne ? 'way' : 'ways'} to go on: no other came up in ${rounds * VARIANTS} tries.`,
      );
    });
    return running;
  }
}

/** @returns {ArrayLike<number>[]} */
function imagesOf(values, size) {
  return Array.from({ length: values.length / size }, (_, i) => values.slice(i * size, (i + 1) * size));
}

/** What look-ahead means for what is rubbed out. */
function noteOf(particles, known) {
  const gap = known.indexOf(0);
  const isBelow = gap >= 0 && known.indexOf(1, gap) >= 0;
  const what =
    particles === 0
      ? 'The model draws row by row. Each pixel fits what lies above it and to its left; the model does not look below.'
      : `Look-ahead draws ${particles} versions of each image side by side, and keeps those that fit what lies below. It takes up to ${particles} times as long.`;
  const isIdle = gap >= 0 && !isBelow;
  return isIdle ? `${what} Nothing is kept below the gap now: rub out a band to see the difference.` : what;
}
