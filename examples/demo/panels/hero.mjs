import { MODELS, sizeOf } from '../catalogue.mjs';
import { fallbackWords, runSmall } from '../parts/backends.mjs';
import { button } from '../parts/controls.mjs';
import { h } from '../parts/dom.mjs';
import { gallery } from '../parts/pictures.mjs';
import { isMotionReduced, replay } from '../parts/replay.mjs';
import { taskRunner } from '../parts/task.mjs';
import { workerClient } from '../parts/worker-client.mjs';

const MODEL = 'digits-conditional';
const CLASSES = Array.from({ length: 10 }, (_, k) => k);

/**
 * Ten digits, drawn as the page opens and shown pixel by pixel.
 *
 * @param {HTMLElement} root
 */
export function mountHero(root) {
  const client = workerClient();
  const { shape, levels } = MODELS[MODEL];
  const size = sizeOf(shape);
  const pictures = gallery({ label: 'Ten digits, 0 to 9, drawn by the model', columns: () => 5 });
  const task = taskRunner({ onChange: () => (again.disabled = task.isBusy) });
  const again = button('Draw ten others', () => draw(Math.floor(1e6 * Math.random())));
  root.append(
    h(
      'figure.hero-figure',
      {},
      h('div.tray', {}, pictures.element),
      h('figcaption', {}, task.element, again),
    ),
  );
  pictures.show(new Int32Array(10 * size), { shape, levels }, () => false);
  draw(15);

  function draw(seed) {
    return task.run(async (signal) => {
      task.say('Drawing…');
      const job = { kind: 'sample', model: MODEL, numImages: 10, seed, classes: CLASSES, temperature: 0.8 };
      const { levels: values } = await runSmall(client, job, { signal });
      const isSlow = !isMotionReduced();
      const how = `Drawn just now, here, pixel by pixel and row by row${isSlow ? ': shown slowed down' : ''}.`;
      task.say(how + fallbackWords());
      if (isSlow) await replay(pictures, values, { shape, levels }, signal);
      else pictures.show(values, { shape, levels });
    });
  }
}
