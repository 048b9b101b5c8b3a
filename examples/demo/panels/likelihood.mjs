import { MODELS } from '../catalogue.mjs';
import { fallbackWords, runSmall } from '../parts/backends.mjs';
import { bitBars } from '../parts/bit-bars.mjs';
import { bitMap } from '../parts/bit-map.mjs';
import { button } from '../parts/controls.mjs';
import { h, keepFocus, whenNear } from '../parts/dom.mjs';
import { imagePicker } from '../parts/image-picker.mjs';
import { levelBars } from '../parts/level-bars.mjs';
import { pixelEditor } from '../parts/pixel-editor.mjs';
import { taskRunner } from '../parts/task.mjs';
import { workerClient } from '../parts/worker-client.mjs';

/**
 * How likely is it: bits per dimension of an image, and where they go. Measured anew after each change.
 *
 * @param {HTMLElement} root
 */
export function mountLikelihood(root) {
  const client = workerClient();
  const expected = levelBars();
  const task = taskRunner({ onChange: () => {} });
  const editor = pixelEditor({
    label: 'Image to measure',
    canRubOut: false,
    onChange: changed,
    onPoint: expected.point,
  });
  const picker = imagePicker(root, {
    onPick: (image) => editor.setImage(image, MODELS[picker.name]),
    onError: ({ message }) => task.fail(message),
  });
  const map = bitMap({ onPoint: expected.point });
  const bars = bitBars();
  let isStale = false;

  const blank = button('Blank', () => editor.clear());
  const reset = button('Reset', () => keepFocus(editor.reset));
  root.append(
    h(
      'div.work.even',
      {},
      picker.element,
      bars.headline,
      h('div.controls', {}, editor.element, h('div.buttons', {}, blank, reset)),
      h('div.stage', {}, map.element, expected.element, bars.element, task.element),
    ),
  );
  reset.disabled = true;
  whenNear(root, picker.start);

  function changed() {
    reset.disabled = !editor.isChanged;
    isStale = true;
    measure();
  }

  /** The present image; once more where it has changed meanwhile. */
  async function measure() {
    if (task.isBusy) return;
    await task.run(async () => {
      while (isStale) {
        isStale = false;
        const model = picker.name;
        const levels = editor.values.slice();
        const { bits, probabilities } = await runSmall(client, { kind: 'likelihood', model, levels });
        map.show(bits, MODELS[model]);
        expected.show({ levels, bits, probabilities }, MODELS[model]);
        const mean = bits.reduce((sum, value) => sum + value, 0) / bits.length;
        bars.show(mean, MODELS[model], bits.length);
        task.say(fallbackWords());
      }
    });
  }
}
