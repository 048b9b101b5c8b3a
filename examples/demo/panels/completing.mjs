import { MODELS } from '../catalogue.mjs';
import { fallbackWords, runSmall } from '../parts/backends.mjs';
import { button } from '../parts/controls.mjs';
import { h, keepFocus, whenNear } from '../parts/dom.mjs';
import { seconds } from '../parts/figures.mjs';
import { imagePicker } from '../parts/image-picker.mjs';
import { gallery } from '../parts/pictures.mjs';
import { pixelEditor } from '../parts/pixel-editor.mjs';
import { taskRunner } from '../parts/task.mjs';
import { workerClient } from '../parts/worker-client.mjs';

const VARIANTS = 6;

/**
 * Complete an image: what is rubbed out is drawn again, six times.
 *
 * @param {HTMLElement} root
 */
export function mountCompleting(root) {
  const client = workerClient();
  const task = taskRunner({ onChange: update });
  const editor = pixelEditor({ label: 'Image to complete', canRubOut: true, onChange: update });
  const picker = imagePicker(root, { onPick: pick, onError: ({ message }) => task.fail(message) });
  const pictures = gallery({ label: 'No completions yet', columns: () => 3 });
  let seed = 0;

  const half = button('Rub out the lower half', () => editor.rubOutFrom(kind().shape[0] / 2));
  const all = button('Rub out all', () => editor.rubOutFrom(0));
  const reset = button('Reset', () => keepFocus(editor.reset));
  const fill = button('Fill in', complete, 'button.primary');
  const whole = h('span.hint', {}, 'Rub something out first.');
  const cancel = button('Cancel', task.cancel);
  root.append(
    h(
      'div.work.even',
      {},
      h('div.controls', {}, picker.element, editor.element, h('div.buttons', {}, half, all, reset)),
      h(
        'div.stage',
        {},
        h('div.buttons', {}, fill, cancel, whole),
        h('div.tray', {}, pictures.element),
        task.element,
      ),
    ),
  );
  update();
  whenNear(root, async () => {
    if (!(await picker.start())) return;
    editor.rubOutFrom(kind().shape[0] / 2);
    await complete();
  });

  function kind() {
    return MODELS[picker.name];
  }

  function pick(image) {
    editor.setImage(image, kind());
    pictures.show(new Int32Array(VARIANTS * image.length), kind(), () => false);
    label('No completions yet');
    task.say('');
    task.fail('');
  }

  function label(words) {
    pictures.element.setAttribute('aria-label', words);
  }

  function update() {
    const { isBusy } = task;
    editor.disable(isBusy);
    picker.disable(isBusy);
    half.disabled = all.disabled = isBusy;
    reset.disabled = isBusy || !editor.isChanged;
    fill.disabled = isBusy || editor.isWhole;
    cancel.disabled = !isBusy;
    whole.hidden = !editor.isWhole;
  }

  function complete() {
    return task.run(async (signal) => {
      task.say('Filling in…');
      const image = kind();
      const given = { levels: editor.values, known: editor.known };
      const isKept = (value) => given.known[value] === 1;
      const job = { kind: 'sample', model: picker.name, numImages: VARIANTS, seed: ++seed, given };
      label('Completions, not drawn to the end');
      const { levels, seconds: time } = await runSmall(client, job, {
        signal,
        onReport: ({ done, levels }) => {
          const values = levels.map((level, i) =>
            isKept(i % given.known.length) ? given.levels[i % given.known.length] : level,
          );
          pictures.show(values, image, (value) => value < done || isKept(value));
        },
      });
      pictures.show(levels, image);
      label(`Six completions, seed ${seed}`);
      task.say(`Six ways to go on, in ${seconds(time)}. Fill in again for six others.${fallbackWords()}`);
    });
  }
}
