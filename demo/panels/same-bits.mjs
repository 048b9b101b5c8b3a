import { MODELS } from '../catalogue.mjs';
import { button } from '../parts/controls.mjs';
import { h } from '../parts/dom.mjs';
import { packedFiles } from '../parts/packed-files.mjs';
import { gallery } from '../parts/pictures.mjs';
import { taskRunner } from '../parts/task.mjs';
import { workerClient } from '../parts/worker-client.mjs';

/** Draws the picture that is the same everywhere, and so is its file. */
const MODEL = 'characters';
const SEED = 7;

const WAYS = [
  ['WebAssembly', true],
  ['JavaScript', false],
];

/**
 * Compares the bits of this browser, by WebAssembly and by JavaScript alone, with those of other machines; and draws a picture
 * whose file opens on any of them.
 *
 * @param {HTMLElement} root
 */
export function mountSameBits(root) {
  const clients = WAYS.map(() => workerClient()); // JavaScript alone has a worker for itself
  const task = taskRunner({ onChange: update });
  const start = button('Draw and compare', () => task.run(compare), 'button.primary');
  const table = root.querySelector('details');
  const cells = table.querySelectorAll('.present td');
  const picture = gallery({ label: 'The same on every machine' });
  const tray = h('div.tray', { hidden: true }, picture.element);
  const files = packedFiles(root, { client: clients[0], present: () => ({ model: MODEL }) });
  root.append(
    h(
      'div.work.even',
      h('div.controls', h('div.buttons', start), task.element),
      h('div.stage', tray, files.element),
    ),
    table,
  );

  function update() {
    start.disabled = task.isBusy;
  }

  async function compare(signal) {
    for (const cell of cells) cell.textContent = '?';
    const found = new Set();
    for (const [i, [name, withWebAssembly]] of WAYS.entries()) {
      task.say(`By ${name}…`);
      const { count, different } = await clients[i].run(
        { kind: 'conformance', withWebAssembly },
        { signal, onReport: ({ done, total }) => task.tick(`${done} of ${total}`) },
      );
      for (const one of different) found.add(one);
      cells[i].textContent = count > 0 ? `${count - different.length} of ${count} results the same` : 'none';
    }
    task.say('Drawing…');
    const [client] = clients;
    const { levels } = await client.run(
      { kind: 'sample', model: MODEL, numImages: 1, seed: SEED },
      { signal },
    );
    const { bytes } = await client.run({ kind: 'compress', model: MODEL, levels }, { signal });
    picture.show(levels, MODELS[MODEL]);
    tray.hidden = false;
    files.element.open = true;
    files.offer({ bytes, levels, name: 'same-bits' });
    if (found.size > 0) throw new Error(`other bits; please report: ${[...found].join(', ')}`);
    task.say(
      `Every machine draws this, in the same file of ${bytes.length} bytes. The networks agree with other machines, too.`,
    );
  }
}
