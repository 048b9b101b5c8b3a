import { MODELS } from '../catalogue.mjs';
import { addressOf, onAddress } from '../parts/address-state.mjs';
import { bitBars } from '../parts/bit-bars.mjs';
import { bitMap } from '../parts/bit-map.mjs';
import { button } from '../parts/controls.mjs';
import { h, keepFocus, whenNear } from '../parts/dom.mjs';
import { imagePicker } from '../parts/image-picker.mjs';
import { levelBars } from '../parts/level-bars.mjs';
import { linkButton } from '../parts/link-button.mjs';
import { blankOf } from '../parts/paints.mjs';
import { pixelEditor } from '../parts/pixel-editor.mjs';
import { pngSize } from '../parts/png-size.mjs';
import { taskRunner } from '../parts/task.mjs';
import { whenCalm } from '../parts/when-calm.mjs';
import { workerClient } from '../parts/worker-client.mjs';

const sum = (bits) => bits.reduce((total, value) => total + value, 0);

/**
 * How likely is it: the bits of an image, and where they go. Measured anew after each change.
 *
 * @param {HTMLElement} root
 */
export function mountLikelihood(root) {
  const client = workerClient();
  const expected = levelBars({ onPlace: (row, column) => map.mark(row, column) });
  const task = taskRunner({ onChange: () => {} });
  const measureSoon = whenCalm(task, measure);
  const editor = pixelEditor({
    label: 'Image to measure',
    canRubOut: false,
    onChange: changed,
    onPoint: expected.point,
  });
  const picker = imagePicker(root, {
    client,
    sets: ['digits-28', 'clothes', 'emoji-32'],
    onPick: (image) => editor.setImage(image, MODELS[picker.name]),
    onInvert: editor.invert,
    onClass: changed,
  });
  const map = bitMap({ onPoint: expected.point });
  const bars = bitBars();
  /** Bits of a blank image, by model and class. */
  const blanks = new Map();

  const blank = button('Blank', () => editor.clear());
  const reset = button('Reset', () => keepFocus(editor.reset));
  const link = linkButton('Copy link', { address: () => addressOf(root.id, picker.queryOf(editor)) });
  const moral = h('p.moral', { role: 'status' });
  root.append(
    h(
      'div.work.even.bench',
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
        bars.headline,
        bars.element,
        h('div.aside', moral, blank),
        map.element,
        expected.element,
      ),
    ),
  );
  reset.disabled = link.element.disabled = true;
  onAddress(root.id, picker.open);
  whenNear(root, picker.start);

  function changed() {
    reset.disabled = !editor.isChanged;
    link.clear();
    link.element.disabled = picker.queryOf(editor) === null; // its levels are too many
    measureSoon();
  }

  async function measure(signal) {
    const { name: model, condition } = picker;
    const entry = MODELS[model];
    const levels = editor.values.slice();
    if (levels.length > 1000) task.say('Measuring…');
    const job = { kind: 'likelihood', model, condition };
    const { bits, probabilities } = await client.run({ ...job, levels }, { signal });
    const total = sum(bits);
    const png = await pngSize(client, entry, levels, signal);
    bars.show(total, entry, bits.length, png === null ? null : 8 * png);
    map.show(bits, entry);
    expected.show({ levels, bits, probabilities }, entry);
    task.say('');

    const key = `${model} ${condition}`;
    if (!blanks.has(key)) {
      const { bits } = await client.run({ ...job, levels: blankOf(entry) }, { signal });
      blanks.set(key, sum(bits));
    }
    moral.textContent = moralOf(total, blanks.get(key), levels, blankOf(entry));
  }
}

/** What a blank image tells: it is likelier than what people would call beautiful. */
function moralOf(bits, blankBits, levels, blank) {
  const [own, empty] = [bits, blankBits].map((all) => Math.round(all).toLocaleString('en'));
  if (levels.every((level, i) => level === blank[i]))
    return `A blank image takes only ${empty} bits. Likely does not mean beautiful: where nothing happens, nothing surprises.`;
  if (blankBits < bits)
    return `Likely does not mean beautiful: a blank image takes only ${empty} bits, and this one ${own}. Where nothing happens, nothing surprises.`;
  return `A blank image takes ${empty} bits, and this one ${own}.`;
}
