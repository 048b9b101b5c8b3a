import { MODELS, sizeOf } from '../catalogue.mjs';
import { addressOf } from '../parts/address-state.mjs';
import { bitMap } from '../parts/bit-map.mjs';
import { button } from '../parts/controls.mjs';
import { h, keepFocus } from '../parts/dom.mjs';
import { imagePicker } from '../parts/image-picker.mjs';
import { levelBars } from '../parts/level-bars.mjs';
import { linkButton } from '../parts/link-button.mjs';
import { packedFiles } from '../parts/packed-files.mjs';
import { pixelEditor } from '../parts/pixel-editor.mjs';
import { pngSize } from '../parts/png-size.mjs';
import { sizeBars } from '../parts/size-bars.mjs';
import { taskRunner } from '../parts/task.mjs';
import { whenCalm } from '../parts/when-calm.mjs';
import { workerClient } from '../parts/worker-client.mjs';

const SETS = ['digits-28', 'characters', 'clothes'];
const HEADER = 320; // bits, about
const MORAL = 'Likely does not mean beautiful: where nothing happens, nothing surprises.';
const sum = (bits) => bits.reduce((total, value) => total + value, 0);

/**
 * Likelihood is compression: the bits of a picture, where they go, and the file that has hardly more of them. Measured anew after each change.
 *
 * @param {HTMLElement} root
 */
export function mountLikelihood(root) {
  const client = workerClient();
  const expected = levelBars({ onPlace: (row, column) => map.mark(row, column) });
  const task = taskRunner({ onChange: () => {} });
  const measureSoon = whenCalm(task, measure);
  const editor = pixelEditor({
    label: 'Picture to measure',
    kind: MODELS[SETS[0]],
    canRubOut: false,
    onChange: changed,
    onPaint: () => picker.changed(),
    onPoint: expected.point,
  });
  const files = packedFiles(root, { client, present: () => ({ model: picker.name, ...picker.given }) });
  const picker = imagePicker(root, {
    client,
    editor,
    sets: SETS,
    onClass: changed,
    takesFile: files.take,
  });
  const map = bitMap({ onPoint: expected.point });
  const headline = h('p.headline', { role: 'status' });
  const detail = h('p.detail');
  const bars = sizeBars();
  /** Bits of a blank image, by model and class. */
  const blanks = new Map();
  let changes = 0;
  let isFirst = true;

  const blank = button('Try a blank page', () => editor.clear());
  const reset = button('Reset', () => keepFocus(editor.reset));
  const link = linkButton('Copy link', { address: () => addressOf(root.id, picker.query) });
  const moral = h('p.moral', { role: 'status' }, MORAL);
  root.append(
    h(
      'div.work.bench',
      h(
        'div.controls',
        picker.element,
        editor.element,
        h('div.buttons', reset, link.element),
        link.answer,
        task.element,
      ),
      h(
        'div.stage',
        headline,
        detail,
        bars.element,
        h('div.measured', map.element, expected.element),
        h('div.aside', moral, blank),
        files.element,
      ),
    ),
  );
  reset.disabled = link.element.disabled = true;
  showSizes(MODELS[SETS[0]]); // what is known of any picture: it has the room of what comes

  function changed() {
    changes += 1;
    if (isFirst) showSizes(MODELS[picker.name]);
    reset.disabled = !editor.isChanged;
    link.clear();
    link.element.disabled = false;
    files.clear();
    measureSoon();
  }

  async function measure(signal) {
    const { name: model, given, number } = picker;
    const entry = MODELS[model];
    const levels = editor.values.slice();
    const change = changes;
    const job = { model, ...given };
    task.say('Measuring…');
    const { bits, probabilities } = await client.run({ kind: 'likelihood', ...job, levels }, { signal });
    const isOld = () => change !== changes; // what is shown by now comes next
    if (isOld()) return;
    const total = sum(bits);
    map.show(bits, entry);
    expected.show({ levels, bits, probabilities }, entry);
    if (isFirst) showSizes(entry, total); // the rest may be long in coming
    const { bytes } = await client.run({ kind: 'compress', ...job, levels }, { signal });
    const png = await pngSize(client, entry, levels, signal);
    if (isOld()) return;
    showSizes(entry, total, bytes.length, png);
    isFirst = false;
    files.offer({ bytes, levels, name: `${model}-${number ?? 'mine'}` });
    task.say('');

    const key = `${entry.url ?? model} ${given.condition}`;
    const nothing = new Uint8Array(levels.length);
    if (!blanks.has(key)) {
      const { bits } = await client.run({ kind: 'likelihood', ...job, levels: nothing }, { signal });
      blanks.set(key, sum(bits));
    }
    moral.textContent = moralOf(total, blanks.get(key), levels);
  }

  /** What a picture takes, as far as it is measured, beside what others take. @param {number | null} [png] null where none can be compared */
  function showSizes({ levels, shape, testBits }, bits = Number.NaN, bytes = Number.NaN, png = Number.NaN) {
    const count = sizeOf(shape);
    const uniform = count * Math.log2(levels);
    const knowing = `Blind guessing takes ${Math.log2(levels).toFixed(2)}.`;
    const others =
      testBits === null ? '' : ` Pictures it has never seen take ${testBits.toFixed(2)} on average.`;
    const each = `That is ${(bits / count).toFixed(2)} for each of its ${count} pixels.${others} `;
    headline.replaceChildren('This picture: ', h('strong', `${whole(bits)} bits`));
    detail.textContent = (bits ? each : '') + knowing;
    const bar = (name, size, isPresent = false) => ({ name, size: size || 0, words: whole(size), isPresent });
    bars.element.style.setProperty('--header', HEADER / (8 * bytes));
    bars.show([
      bar('our file (pale: header)', 8 * bytes, true),
      ...(png === null ? [] : [bar('the smallest PNG', 8 * png)]),
      bar('blind guessing', uniform),
    ]);
  }
}

const whole = (number) => (Number.isNaN(number) ? '…' : Math.round(number).toLocaleString('en'));

/** What a blank image tells: it is likelier than what people would call beautiful. */
function moralOf(bits, blankBits, levels) {
  const [own, empty] = [bits, blankBits].map(whole);
  const isBlank = levels.every((level) => level === 0);
  const words = isBlank ? `only ${empty} bits` : `${empty} bits, and this one ${own}`;
  return `A blank picture takes ${words}. ${isBlank || blankBits < bits ? MORAL : 'The network never saw one.'}`;
}
