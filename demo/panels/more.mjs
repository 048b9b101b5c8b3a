import { MODELS } from '../catalogue.mjs';
import { button } from '../parts/controls.mjs';
import { whenNear } from '../parts/dom.mjs';
import { gallery } from '../parts/pictures.mjs';
import { freshSeed } from '../parts/random.mjs';
import { taskRunner } from '../parts/task.mjs';
import { workerClient } from '../parts/worker-client.mjs';

/** What the lines of the page's end load. */
const MODEL = 'characters';

/**
 * The library: what its lines draw.
 *
 * @param {HTMLElement} root
 */
export function mountMore(root) {
  const client = workerClient();
  const task = taskRunner({ onChange: update });
  const run = button('Run again', () => task.run(draw));
  const pictures = gallery({ label: 'Three characters', columns: (count) => count });
  const [tray, buttons] = root.querySelectorAll('.tray, .buttons');
  tray.append(pictures.element);
  buttons.append(run, task.element);
  whenNear(root, () => task.run(draw));

  function update() {
    run.disabled = task.isBusy;
  }

  async function draw(signal) {
    const job = { kind: 'sample', model: MODEL, numImages: 3, temperature: 0.8, seed: freshSeed() };
    const { levels } = await client.run(job, { signal });
    pictures.show(levels, MODELS[MODEL]);
  }
}
