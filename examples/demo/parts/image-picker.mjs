import { MODELS } from '../catalogue.mjs';
import { button, radios } from './controls.mjs';
import { h } from './dom.mjs';
import { readImage } from './image-file.mjs';
import { readTestImages, TEST_IMAGES } from './test-images.mjs';

/** @typedef {import('./test-images.mjs').TestSet} TestSet */

/**
 * A choice of images: test images, that no model was trained on, and whatever image the visitor has.
 *
 * @param {HTMLElement} root where a file may be dropped, or pasted while something in it has the keyboard
 * @param {{ onPick: (image: Uint8Array) => void, onError: (error: Error) => void }} options
 */
export function imagePicker(root, { onPick, onError }) {
  const place = { digits: 0, emoji: 107 }; // a zero that might be a nine; a smile
  const sources = radios(
    'Test images',
    TEST_IMAGES.map((name) => ({ value: name, label: MODELS[name].title })),
    { onchange: () => step(0) },
  );
  const where = h('span.where', { role: 'status' });
  const file = h('input.hidden-text', { type: 'file', accept: 'image/*', onchange: takeChosen });
  const controls = [button('Previous', () => step(-1)), button('Next', () => step(1)), file];
  const [previous, next] = controls;
  /** @type {TestSet} of the image that is shown */
  let shown = TEST_IMAGES[0];
  let lastAsked = 0;
  let isDisabled = false;

  /** Shows an image once it is read, unless another was asked for meanwhile. Gives whether it did. */
  async function show(name, read) {
    const asked = ++lastAsked;
    try {
      const { image, words } = await read();
      if (asked !== lastAsked) return false;
      shown = name;
      where.textContent = words;
      onPick(image);
      return true;
    } catch (error) {
      if (asked !== lastAsked) return false;
      sources.value = shown;
      onError(error);
      return false;
    }
  }

  function step(by) {
    const name = sources.value;
    place[name] += by;
    return show(name, async () => {
      const images = await readTestImages(name);
      place[name] = ((place[name] % images.length) + images.length) % images.length;
      return { image: images[place[name]], words: `${place[name] + 1} of ${images.length}` };
    });
  }

  function take(file) {
    if (file === undefined || isDisabled) return;
    const name = sources.value;
    const [height, width] = MODELS[name].shape;
    const words = `your image, in ${height} by ${width} pixels`;
    show(name, async () => ({ image: await readImage(file, MODELS[name]), words }));
  }

  function takeChosen() {
    take(file.files[0]);
    file.value = ''; // so that the same file may be chosen again
  }

  root.addEventListener('paste', ({ clipboardData }) => take(clipboardData.files[0]));
  root.addEventListener('dragover', (event) => event.preventDefault());
  root.addEventListener('drop', (event) => {
    event.preventDefault(); // or the browser would leave the page for the file
    take(event.dataTransfer.files[0]);
  });

  return {
    element: h(
      'div.picker',
      {},
      sources.element,
      h('div.buttons', {}, previous, next, h('label.button.file', {}, 'Load an image', file), where),
      h('p.hint', {}, 'Any image of yours can be dropped or pasted here too. It stays in this browser.'),
    ),
    /** The data set, and the model, of the image that is shown. */
    get name() {
      return shown;
    },
    /** Picks the first; false where it cannot be read. */
    start: () => step(0),
    /** While disabled it shows nothing new, not even what was asked for before. */
    disable(isNow) {
      isDisabled = isNow;
      sources.element.disabled = isNow;
      for (const control of controls) control.disabled = isNow;
      if (!isNow) return;
      lastAsked += 1;
      sources.value = shown;
    },
  };
}
