import { MODELS } from '../catalogue.mjs';
import { button } from '../parts/controls.mjs';
import { h } from '../parts/dom.mjs';
import { gallery } from '../parts/pictures.mjs';
import { taskRunner } from '../parts/task.mjs';
import { workerClient } from '../parts/worker-client.mjs';

/** Draws the picture that is the same everywhere. */
const MODEL = 'characters';
const SEED = 7;

const WAYS = [
  ['WebAssembly', true],
  ['JavaScript', false],
];

/**
 * Compares the bits of this browser, by WebAssembly and by JavaScript alone, with those of other machines; and draws a picture
 * both ways.
 *
 * @param {HTMLElement} root
 */
export function mountSameBits(root) {
  const clients = WAYS.map(() => workerClient()); // JavaScript alone has a worker for itself
  const task = taskRunner({ onChange: update });
  const start = button('Draw and compare', () => task.run(compare), 'button.primary');
  const [result, tray, words] = root.querySelectorAll('.headline, .tray, details');
  const cells = words.querySelectorAll('.present td');
  const pictures = gallery({ label: 'The same on every machine', columns: () => 2 });
  tray.prepend(pictures.element);
  root.append(h('div.controls', h('div.buttons', start), task.element, result, tray, words));

  function update() {
    start.disabled = task.isBusy;
  }

  async function compare(signal) {
    for (const cell of cells) cell.textContent = '?';
    result.classList.remove('known');
    const found = new Set();
    const drawn = [];
    for (const [i, [name, withWebAssembly]] of WAYS.entries()) {
      task.say(`By ${name}…`);
      const { count, different } = await clients[i].run(
        { kind: 'conformance', withWebAssembly },
        { signal, onReport: ({ done, total }) => task.tick(`${done} of ${total}`) },
      );
      for (const one of different) found.add(one);
      cells[i].textContent =
        count > 0 ? `${different.length > 0 ? '✗' : '✓'} ${count - different.length} of ${count}` : 'none';
      const job = { kind: 'sample', model: MODEL, numImages: 1, seed: SEED };
      drawn.push([...(await clients[i].run(job, { signal })).levels]);
    }
    if (String(drawn[0]) !== String(drawn[1])) found.add('picture');
    if (found.size > 0) throw new Error(`other bits; please report: ${[...found].join(', ')}`);
    pictures.show(drawn.flat(), MODELS[MODEL]);
    task.say('');
    result.classList.add('known');
  }
}
