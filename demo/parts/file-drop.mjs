import { button } from './controls.mjs';
import { h } from './dom.mjs';

/**
 * A place to drop a file, or to choose one. What comes of it is said there. Reading can be cancelled, also by another file.
 *
 * @param {object} options
 * @param {string} options.label of the button
 * @param {string} options.accept which files it offers
 * @param {(file: File, signal: AbortSignal) => Promise<string>} options.read gives what to say; throws what is wrong with the file
 */
export function fileDrop({ label, accept, read }) {
  const input = h('input.hidden-text', { type: 'file', accept, onchange: takeChosen });
  const result = h('p.status', { role: 'status' });
  const alert = h('p.alert', { role: 'alert', hidden: true });
  const cancel = button('Cancel', () => controller.abort());
  const zone = h('div.drop', h('label.button.file', label, input), h('span', 'or drop it here'), cancel);
  let controller = new AbortController();
  cancel.disabled = true;

  async function take(file) {
    controller.abort();
    controller = new AbortController();
    const { signal } = controller;
    let [words, error] = ['', ''];
    result.textContent = 'Unpacking…';
    alert.hidden = true;
    cancel.disabled = false;
    try {
      words = await read(file, signal);
    } catch ({ name, message }) {
      if (name === 'AbortError') words = 'Cancelled.';
      else error = message;
    }
    if (signal !== controller.signal) return;
    result.textContent = words;
    alert.textContent = error;
    alert.hidden = error === '';
    if (document.activeElement === cancel) input.focus();
    cancel.disabled = true;
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

  return { element: h('div.file-drop', zone, result, alert), take };
}
