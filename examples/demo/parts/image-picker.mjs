import { MODELS, UNLISTED } from '../catalogue.mjs';
import { addressReader, readAddress } from './address-state.mjs';
import { classesOf } from './classes.mjs';
import { button, field, radios, select } from './controls.mjs';
import { h } from './dom.mjs';
import { readImage } from './image-file.mjs';
import { queryOfImage, readImageState } from './image-state.mjs';
import { isInkOnPaper } from './pictures.mjs';
import { readTestImages } from './test-images.mjs';

/** @typedef {import('./test-images.mjs').TestSet} TestSet */

/** Where each set begins: a coat; a five; a zero that might be a nine; a smiley. */
const FIRST = { clothes: 4, 'digits-28': 5, 'digits-conditional': 0, 'emoji-32': 0 };

/**
 * A choice of images: test images, that no model was trained on, and whatever image the visitor has. Of each the class is known, or asked of the model.
 *
 * @param {HTMLElement} root of the panel, whose address may name an image; where a file may be dropped, or pasted while something in it has the
 *   keyboard
 * @param {object} options
 * @param {(image: Uint8Array, address?: ReturnType<typeof addressReader>) => void} options.onPick with the address that has asked for the image, where
 *   one has: to read what else it says
 * @param {(image: Uint8Array) => void} [options.onInvert] the visitor's image is inverted; where that is left out, it is picked anew
 * @param {() => void} [options.onClass] the class has changed; where that is left out, it is neither asked nor offered
 * @param {import('./worker-client.mjs').Client} [options.client] asked for the likeliest class of a visitor's image
 * @param {TestSet[]} options.sets the first is shown first
 * @param {(file: File) => boolean} [options.takesFile] takes a file that is no image
 */
export function imagePicker(
  root,
  { onPick, onInvert = onPick, onClass, client, sets, takesFile = () => false },
) {
  const place = { ...FIRST };
  const sources = radios(
    'Test images',
    [...new Set([...sets, ...UNLISTED])].map((value) => ({
      value,
      label: MODELS[value].title,
      isHidden: !sets.includes(value),
    })),
    { onchange: () => step(0) },
  );
  const where = h('p.where', { role: 'status' });
  const file = h('input.hidden-text', { type: 'file', accept: 'image/*,.svg', onchange: takeChosen });
  const controls = [button('Previous', () => step(-1)), button('Next', () => step(1)), file];
  const [previous, next] = controls;
  const load = h('label.button.file', { title: 'Or drop it here, or paste it' }, 'Load an image', file);
  const alert = h('p.alert', { role: 'alert', hidden: true });
  const classes = select([], { onchange: chooseClass });
  const classField = field('Class given to the model', classes, ' ');
  classField.classList.add('class-field');
  const classNote = classField.querySelector('.hint');
  classField.hidden = onClass === undefined;
  const inversion = h('span');
  const invert = button('Invert', invertOwn);
  const dark = h('div.aside', { hidden: true }, inversion, invert);
  /** @type {TestSet} of the image that is shown */
  let shown = sets[0];
  /** Of the visitor, as it was loaded or inverted; null while a test image is shown. */
  let own = null;
  let lastAsked = 0;
  let isDisabled = false;
  /** Ends the question for the likeliest class. */
  let asking = new AbortController();
  /** Resolves once it is answered, or ended. */
  let answered = Promise.resolve();

  /** Shows an image once it is read, unless another was asked for meanwhile. Gives whether it did. */
  async function show(read) {
    const asked = ++lastAsked;
    try {
      const { name, image, label, words, address } = await read();
      if (asked !== lastAsked) return false;
      asking.abort();
      alert.hidden = true;
      dark.hidden = true;
      offerClasses(name);
      shown = name;
      sources.value = name;
      own = label === undefined ? image : null;
      if (label !== undefined) classes.value = String(label);
      classNote.textContent =
        label === undefined ? '' : 'This is its label. Choose another, and see what changes.';
      where.textContent = words;
      onPick(image, address);
      return true;
    } catch ({ message }) {
      if (asked !== lastAsked) return false;
      sources.value = shown;
      alert.textContent = message;
      alert.hidden = false;
      return false;
    }
  }

  function step(by) {
    const name = sources.value;
    place[name] += by;
    return show(async () => {
      const images = await readTestImages(name);
      place[name] = ((place[name] % images.length) + images.length) % images.length;
      return testImage(name, images);
    });
  }

  /** The test image of a set whose turn it is. */
  function testImage(name, images) {
    const { levels: image, label } = images[place[name]];
    return {
      name,
      image,
      label,
      words: `${place[name] + 1} of ${images.length}: ${classesOf(name)[label].one}`,
    };
  }

  /** Shows the image that an address asks for. */
  async function open(query) {
    const address = addressReader(query);
    let condition = null;
    const isShown = await show(async () => {
      const state = await readImageState(address, sets);
      ({ condition } = state);
      const { name, number, levels } = state;
      if (levels !== null) return { name, image: levels, words: 'the image in the link', address };
      if (number !== null) place[name] = number - 1;
      return { ...testImage(name, await readTestImages(name)), address };
    });
    if (!isShown) return false;
    if (condition !== null && classes.value !== String(condition)) {
      classes.value = String(condition);
      classNote.textContent = 'This is the class in the link.';
    }
    alert.textContent = address.complaint;
    alert.hidden = address.complaint === '';
    return true;
  }

  async function take(file) {
    if (file === undefined || isDisabled || takesFile(file)) return;
    const name = sources.value;
    const [height, width] = MODELS[name].shape;
    const words = `your image, in ${height} by ${width} pixels`;
    if (!(await show(async () => ({ name, image: await readImage(file, MODELS[name]), words })))) return;
    if (isMostlyDark(own, MODELS[name])) {
      offerInversion('This image is mostly dark, and the test images are mostly light: invert it?', 'Invert');
    }
    askClass();
  }

  function offerInversion(words, name) {
    inversion.textContent = words;
    invert.textContent = name;
    dark.hidden = false;
  }

  function invertOwn() {
    const isInverted = invert.textContent === 'Undo';
    own = own.map((level) => MODELS[shown].levels - 1 - level);
    if (isInverted) offerInversion('This image is mostly dark: invert it?', 'Invert');
    else offerInversion('Inverted: dark is light now.', 'Undo');
    onInvert(own);
    askClass();
  }

  function takeChosen() {
    take(file.files[0]);
    file.value = ''; // so that the same file may be chosen again
  }

  function offerClasses(name) {
    if (name === shown && classes.options.length > 0) return;
    const options = classesOf(name).map(({ name }, k) => h('option', { value: String(k) }, name));
    classes.replaceChildren(...options);
  }

  function chooseClass() {
    asking.abort();
    classNote.textContent = own === null ? 'This is not its label.' : 'This is your choice.';
    onClass();
  }

  function askClass() {
    if (onClass === undefined) return;
    asking.abort();
    asking = new AbortController();
    answered = presetClass(asking.signal);
  }

  /** Presets the class of the visitor's image by what the model finds likeliest. */
  async function presetClass(signal) {
    const numClasses = classes.options.length;
    classNote.textContent = 'Asking the model which is likeliest…';
    const job = { kind: 'classify', model: shown, levels: own, numClasses };
    try {
      const { nats } = await client.run(job, { signal });
      if (signal.aborted) return;
      const likeliest = nats.indexOf(Math.max(...nats));
      const isOther = classes.value !== String(likeliest);
      classes.value = String(likeliest);
      classNote.textContent = 'The model finds this class likeliest. Choose another if it is wrong.';
      if (isOther) onClass();
    } catch ({ message }) {
      if (!signal.aborted) classNote.textContent = `The likeliest could not be found: ${message}`;
    }
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
      h('div.sources', sources.element, load),
      alert,
      h('div.buttons', previous, next, where),
      dark,
      classField,
    ),
    /** The data set, and the model, of the image that is shown. */
    get name() {
      return shown;
    },
    /** Resolves once the model is no longer asked for the class of the image that is shown. */
    get answered() {
      return answered;
    },
    /** Of the image that is shown. */
    get condition() {
      return Number(classes.value);
    },
    /** Which of the test images it is, from 1; null for one of the visitor. */
    get number() {
      return own === null ? place[shown] + 1 : null;
    },
    /**
     * The image for an address, as it was edited; null where no address can hold it.
     *
     * @param {{ values: Uint8Array, isPainted: boolean }} edited
     */
    queryOf({ values, isPainted }) {
      const number = own !== null || isPainted ? null : place[shown] + 1;
      const condition = onClass === undefined ? null : Number(classes.value);
      return queryOfImage({ name: shown, number, levels: values, condition });
    },
    /** Shows the image that the address asks for, or the first; gives whether it could. */
    start() {
      const query = readAddress(root.id);
      return query === null ? step(0) : open(query);
    },
    open,
    /** While disabled it shows nothing new, not even what was asked for before. */
    disable(isNow) {
      isDisabled = isNow;
      sources.element.disabled = isNow;
      for (const control of [...controls, classes, invert]) control.disabled = isNow;
      if (!isNow) return;
      lastAsked += 1;
      sources.value = shown;
    },
  };
}

/** Of a grey image whose mean is nearer to ink than to paper: the models' images have light grounds. */
function isMostlyDark(image, kind) {
  const mean = image.reduce((sum, level) => sum + level, 0) / image.length;
  return isInkOnPaper(kind) && mean > (kind.levels - 1) / 2;
}
