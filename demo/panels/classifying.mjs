import { MODELS } from '../catalogue.mjs';
import { addressOf } from '../parts/address-state.mjs';
import { classBars } from '../parts/class-bars.mjs';
import { classesOf } from '../parts/classes.mjs';
import { button } from '../parts/controls.mjs';
import { h, keepFocus } from '../parts/dom.mjs';
import { imagePicker } from '../parts/image-picker.mjs';
import { linkButton } from '../parts/link-button.mjs';
import { pixelEditor } from '../parts/pixel-editor.mjs';
import { taskRunner } from '../parts/task.mjs';
import { whenCalm } from '../parts/when-calm.mjs';
import { workerClient } from '../parts/worker-client.mjs';

const SETS = ['digits-28', 'clothes'];

/**
 * Classify: how likely an image is as one of each class, and so how likely each class is. Measured after each stroke.
 *
 * @param {HTMLElement} root
 */
export function mountClassifying(root) {
  const client = workerClient();
  const task = taskRunner({ onChange: () => {} });
  const measureSoon = whenCalm(task, measure);
  const editor = pixelEditor({
    label: 'Image to classify',
    kind: MODELS[SETS[0]],
    canRubOut: false,
    hasPen: true,
    onChange: changed,
    onPaint: () => picker.changed(),
  });
  const picker = imagePicker(root, { editor, sets: SETS });
  const bars = classBars();
  const link = linkButton('Copy link', { address: () => addressOf(root.id, picker.query) });
  const blank = button('Clear and draw', () => editor.clear());
  const reset = button('Reset', () => keepFocus(editor.reset));
  root.append(
    h(
      'div.work.bench',
      h(
        'div.controls',
        h('div', blank),
        picker.element,
        editor.element,
        h('div.buttons', reset, link.element),
        link.answer,
        task.element,
      ),
      h('div.stage', bars.headline, bars.element),
    ),
  );
  reset.disabled = link.element.disabled = true;

  function changed() {
    reset.disabled = !editor.isChanged;
    link.clear();
    link.element.disabled = false;
    measureSoon();
  }

  async function measure(signal) {
    const { name: model } = picker;
    const classes = classesOf(model);
    const levels = editor.values.slice();
    const isBlank = !levels.some(Boolean);
    bars.element.hidden = isBlank;
    if (isBlank) {
      bars.headline.textContent = 'Draw a picture.';
      return;
    }
    task.say('Measuring…');
    const entry = MODELS[model];
    const besideBackground = entry.usualRatio !== null;
    const { nats, background } = await client.run(
      { kind: 'classify', model, levels, numClasses: classes.length, besideBackground },
      { signal },
    );
    bars.show([...nats], background, classes, entry, levels.length);
    task.say('');
  }
}
