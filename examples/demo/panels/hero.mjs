import { MODELS, sizeOf } from '../catalogue.mjs';
import { defaultBackend } from '../parts/backends.mjs';
import { button } from '../parts/controls.mjs';
import { h } from '../parts/dom.mjs';
import { gallery } from '../parts/pictures.mjs';
import { taskRunner } from '../parts/task.mjs';

const MODEL = 'digits-conditional';
const CLASSES = Array.from({ length: 10 }, (_, k) => k);
/** Milliseconds a pixel is shown before the next: drawing itself is far quicker. */
const SLOWLY = 45;

/**
 * Ten digits, drawn as the page opens and shown pixel by pixel.
 *
 * @param {HTMLElement} root
 * @param {ReturnType<import('../parts/worker-client.mjs').workerClient>} client
 */
export function mountHero(root, client) {
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
      const { levels: values } = await client.run(defaultBackend(), job, { signal });
      task.say('Drawn just now, here, pixel by pixel and row by row: shown slowed down.');
      if (matchMedia('(prefers-reduced-motion: reduce)').matches)
        return pictures.show(values, { shape, levels });
      for (let done = 1; done <= size; done++) {
        pictures.show(values, { shape, levels }, (value) => value < done, done < size ? done : null);
        await new Promise((resolve) => setTimeout(resolve, SLOWLY));
      }
    });
  }
}
