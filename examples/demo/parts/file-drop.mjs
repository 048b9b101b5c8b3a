import { h } from './dom.mjs';

/**
 * A place to drop a file, or to choose one. What comes of it is said there.
 *
 * @param {object} options
 * @param {string} options.label of the button
 * @param {string} options.accept which files it offers
 * @param {(file: File) => Promise<string>} options.read gives what to say; throws what is wrong with the file
 */
export function fileDrop({ label, accept, read }) {
  const input = h('input.hidden-text', { type: 'file', accept, onchange: takeChosen });
  const result = h('p.status', { role: 'status' });
  const alert = h('p.alert', { role: 'alert', hidden: true });
  const zone = h('div.drop', {}, h('label.button.file', {}, label, input), h('span', {}, 'or drop it here'));
  let lastTaken = 0;

  async function take(file) {
    const taken = ++lastTaken;
    let [words, error] = ['', ''];
    result.textContent = 'Unpacking…';
    alert.hidden = true;
    try {
      words = await read(file);
    } catch ({ message }) {
      error = message;
    }
    if (taken !== lastTaken) return;
    result.textContent = words;
    alert.textContent = error;
    alert.hidden = error === '';
  }

  function takeChosen() {
    if (input.files.length > 0) take(input.files[0]);
    input.value = ''; // so that the same file may be chosen again
  }

  const mark = (isOver) => zone.classList.toggle('over', isOver);
  zone.addEventListener('dragover', (event) => {
    event.preventDefault();
    mark(true);
  });
  zone.addEventListener('dragleave', () => mark(false));
  zone.addEventListener('drop', (event) => {
    event.preventDefault();
    event.stopPropagation(); // the panel around takes images
    mark(false);
    const [file] = event.dataTransfer.files;
    if (file !== undefined) take(file);
  });

  return { element: h('div.file-drop', {}, zone, result, alert), take };
}
