import { MODELS, UNLISTED } from '../catalogue.mjs';
import { addressReader, onAddress, readAddress } from './address-state.mjs';
import { classesOf } from './classes.mjs';
import { button, field, radios, select } from './controls.mjs';
import { h, whenNear } from './dom.mjs';
import { readImage } from './image-file.mjs';
import { queryOfImage, readImageState } from './image-state.mjs';
import { followPicture, offerPicture, ownPicture } from './own-picture.mjs';
import { readTestImages } from './test-images.mjs';

/** @typedef {import('./test-images.mjs').TestSet} TestSet */

/** Where each set begins: a coat; a five; a zero that might be a nine. */
const FIRST = { clothes: 4, 'digits-28': 5, characters: 0, 'digits-conditional': 0 };

/**
 * A choice of pictures: the one that the visitor brings from another panel, test images, that no model was trained on, and files. Of each the class is
 * known, or asked of the model.
 *
 * @param {HTMLElement} root of the panel, whose address may name a picture; where a file may be dropped, or pasted while something in it has the
 *   keyboard
 * @param {object} options
 * @param {ReturnType<import('./pixel-editor.mjs').pixelEditor>} options.editor shows the picture
 * @param {(address?: ReturnType<typeof addressReader>) => void} [options.onPick] another picture is shown; with the address that has asked for it,
 *   where one has: to read what else it says
 * @param {() => void} [options.onClass] the class has changed; where that is left out, it is neither told, nor asked, nor offered
 * @param {() => void} [options.onOpened] an address has been opened
 * @param {import('./worker-client.mjs').Client} [options.client] asked for the likeliest class of a visitor's image
 * @param {TestSet[]} options.sets the first is shown first
 * @param {(file: File) => boolean} [options.takesFile] takes a file that is no image
 */
export function imagePicker(
  root,
  { editor, onPick = () => {}, onClass, onOpened = () => {}, client, sets, takesFile = () => false },
) {
  const place = { ...FIRST };
  const sources = radios(
    'Pictures',
    [...new Set([...sets, ...UNLISTED, 'mine'])].map((value) => ({
      value,
      label: MODELS[value]?.title ?? 'My network',
      isHidden: !sets.includes(value),
    })),
    { onchange: () => choose(0) },
  );
  const where = h('strong.where', { role: 'status' });
  const file = h('input.hidden-text', { type: 'file', accept: 'image/*,.svg', onchange: takeChosen });
  const controls = [button('Previous', () => choose(-1)), button('Next', () => choose(1)), file];
  const [previous, next] = controls;
  const load = h('label.button.file', { title: 'Or drop it here, or paste it' }, 'Load an image', file);
  const alert = h('p.alert', { role: 'alert', hidden: true });
  const classes = select([], { onchange: chooseClass });
  const classField = field('Class given to the model', classes, ' ');
  classField.classList.add('class-field');
  const classNote = classField.querySelector('.hint');
  const inversion = h('span');
  const invert = button('Invert', invertOwn);
  const dark = h('div.aside', { hidden: true }, inversion, invert);
  /** @type {TestSet} of the picture that is shown */
  let shown = sets[0];
  /** Whether it is no test image. */
  let isOwn = false;
  /** Its class, where classes have no names to choose from. @type {number | null} */
  let nameless = null;
  /** The last picture of each kind. */
  const own = new Map();
  let lastAsked = 0;
  let isDisabled = false;
  let look = () => {};
  /** What it is, unless it is painted over. */
  let words = '';
  /** Ends the question for the likeliest class. */
  let asking = new AbortController();
  /** Resolves once it is answered, or ended. */
  let answered = Promise.resolve();

  const element = h(
    'details.picker',
    h('summary', where, h('span', 'Choose another')),
    h('div.sources', sources.element, load),
    alert,
    h('div.buttons', previous, next),
    dark,
    classField,
  );
  onAddress(root.id, open);
  whenNear(root, () => {
    const query = readAddress(root.id);
    const other = ownPicture();
    if (query !== null) open(query);
    else if (other !== null && wants(other)) take(other);
    else step(0);
    look = followPicture(root, picture, take);
  });

  /** The picture as it is now, for other panels. @type {() => import('./own-picture.mjs').Picture} */
  function picture() {
    return { name: shown, levels: editor.values.slice(), number: numberOf(editor), condition: condition() };
  }

  /** Whether the models here know such a picture, and there is something on it. */
  function wants({ name, levels }) {
    const isAsked = onClass !== undefined || MODELS[name].groups.length > 0;
    const isKnown = sets.includes(name) || (isAsked && UNLISTED.includes(name));
    return isKnown && levels.some((level) => level !== levels[0]);
  }

  /** Which of the test images it is, from 1. */
  function numberOf({ isPainted }) {
    return isOwn || isPainted ? null : place[shown] + 1;
  }

  /** Its class; null where the model takes none. */
  function condition() {
    return MODELS[shown].groups.length > 0 ? Number(classes.value) : nameless;
  }

  /** Takes the picture of another panel over, where it is wanted. */
  function take(other) {
    const { name, levels, number, condition: own } = other;
    if (isDisabled) return false;
    if (!wants(other)) return true;
    if (number !== null) place[name] = number - 1;
    return show(async () => ({
      ...{ name, image: levels, isOwn: number === null, condition: own },
      words: number === null ? 'your picture' : wordsOf(name, await readTestImages(name)),
      note: number === null ? 'The class it was drawn as.' : undefined,
    }));
  }

  /** Shows a picture once it is read, unless another was asked for meanwhile. Gives whether it did. */
  async function show(read) {
    const asked = ++lastAsked;
    try {
      const { name, image, address, note = 'This is its label. Choose another, and see what changes.', ...other } = await read(); // biome-ignore format: one line
      if (asked !== lastAsked) return false;
      words = other.words;
      asking.abort();
      alert.hidden = dark.hidden = true;
      offerClasses(name);
      shown = name;
      sources.value = name;
      previous.hidden = next.hidden = !(name in FIRST);
      isOwn = other.isOwn;
      nameless = other.condition;
      own.set(name, { name, image, isOwn: true, condition: other.condition });
      if (nameless !== null) classes.value = String(nameless);
      classNote.textContent = note;
      where.textContent = words;
      editor.setImage(image, MODELS[name]);
      onPick(address);
      return true;
    } catch ({ message }) {
      if (asked !== lastAsked) return false;
      sources.value = shown;
      complain(message);
      return false;
    }
  }

  /** Where it is seen. */
  function complain(message) {
    alert.textContent = message;
    alert.hidden = false;
    element.open = true;
  }

  function step(by) {
    const name = sources.value;
    if (!(name in FIRST)) return show(async () => ({ ...own.get(name), words: 'your picture', note: '' }));
    place[name] += by;
    return show(async () => {
      const images = await readTestImages(name);
      place[name] = (place[name] + images.length) % images.length;
      return testImage(name, images);
    });
  }

  async function choose(by) {
    if (await step(by)) offerPicture(picture);
  }

  /** The test image of a set whose turn it is. */
  function testImage(name, images) {
    const { levels: image, label } = images[place[name]];
    return { name, image, isOwn: false, condition: label, words: wordsOf(name, images) };
  }

  function wordsOf(name, images) {
    const { label } = images[place[name]];
    const what = label === null || !onClass ? '' : `: ${classesOf(name)[label].one}`;
    return `${place[name] + 1} of ${images.length}${what}`;
  }

  /** Shows the picture that an address asks for. */
  async function open(query) {
    const address = addressReader(query);
    const isShown = await show(async () => {
      const { name, number, levels, condition } = await readImageState(address, sets);
      if (number !== null) place[name] = number - 1;
      const test = name in FIRST ? testImage(name, await readTestImages(name)) : { name, condition: null };
      const note = condition !== null && condition !== test.condition ? 'This is the class in the link.' : undefined; // biome-ignore format: one line
      const found = { ...test, address, note, condition: condition ?? test.condition };
      if (!(name in FIRST) && (levels === null || (condition === null && MODELS[name].numClasses !== null)))
        throw new Error('This link lacks a picture, or its class.');
      return levels === null ? found : { ...found, image: levels, isOwn: true, words: 'the picture in the link' }; // biome-ignore format: one line
    });
    if (!isShown) return;
    if (address.complaint !== '') complain(address.complaint);
    offerPicture(picture);
    onOpened();
  }

  async function takeFile(file) {
    if (file === undefined || isDisabled || takesFile(file)) return;
    const name = sources.value;
    const kind = MODELS[name];
    const [height, width] = kind.shape;
    const isShown = await show(async () => ({
      ...{ name, image: await readImage(file, kind), isOwn: true, note: '' },
      condition: name in FIRST ? null : nameless, // that of a syllable cannot be asked
      words: `your image, in ${height} by ${width} pixels`,
    }));
    if (!isShown) return;
    if (isMostlyDark(editor.values, kind)) {
      offerInversion('This image is mostly dark, and the test images are mostly light: invert it?', 'Invert');
    }
    offerPicture(picture);
    askClass();
  }

  function offerInversion(words, name) {
    inversion.textContent = words;
    invert.textContent = name;
    dark.hidden = false;
  }

  function invertOwn() {
    const isInverted = invert.textContent === 'Undo';
    if (isInverted) offerInversion('This image is mostly dark: invert it?', 'Invert');
    else offerInversion('Inverted: dark is light now.', 'Undo');
    editor.invert();
    onPick();
    askClass();
  }

  function takeChosen() {
    takeFile(file.files[0]);
    file.value = ''; // so that the same file may be chosen again
  }

  function offerClasses(name) {
    classField.hidden = onClass === undefined || MODELS[name].groups.length === 0;
    if (name === shown && classes.options.length > 0) return;
    const options = classesOf(name).map(({ name }, k) => h('option', { value: String(k) }, name));
    classes.replaceChildren(...options);
  }

  function chooseClass() {
    asking.abort();
    classNote.textContent = isOwn ? 'This is your choice.' : 'This is not its label.';
    onClass();
  }

  function askClass() {
    if (onClass === undefined || MODELS[shown].groups.length === 0) return;
    asking.abort();
    asking = new AbortController();
    answered = presetClass(asking.signal);
  }

  /** Presets the class of the visitor's image by what the model finds likeliest. */
  async function presetClass(signal) {
    const numClasses = classes.options.length;
    classNote.textContent = 'Looking for the likeliest…';
    const job = { kind: 'classify', model: shown, levels: editor.values.slice(), numClasses };
    try {
      const { nats } = await client.run(job, { signal });
      if (signal.aborted) return;
      const likeliest = nats.indexOf(Math.max(...nats));
      const isOther = classes.value !== String(likeliest);
      classes.value = String(likeliest);
      classNote.textContent = 'This class is the likeliest. Choose another if it is wrong.';
      if (isOther) onClass();
    } catch ({ message }) {
      if (!signal.aborted) classNote.textContent = `The likeliest was not found: ${message}`;
    }
  }

  root.addEventListener('paste', ({ clipboardData }) => takeFile(clipboardData.files[0]));
  root.addEventListener('dragover', (event) => event.preventDefault());
  root.addEventListener('drop', (event) => {
    event.preventDefault(); // or the browser would leave the page for the file
    takeFile(event.dataTransfer.files[0]);
  });

  return {
    element,
    /** The data set, and the model, of the picture that is shown. */
    get name() {
      return shown;
    },
    /** Resolves once the model is no longer asked for the class of the picture that is shown. */
    get answered() {
      return answered;
    },
    /** What a job is told of it: the class, where the model takes one. */
    get given() {
      return condition() === null ? {} : { condition: condition() };
    },
    /** Which of the test images it is, from 1; null for another. */
    get number() {
      return numberOf(editor);
    },
    /** The picture for an address, as it was edited. */
    get query() {
      return queryOfImage({ ...picture(), condition: onClass === undefined ? null : condition() });
    },
    /** To be called after each stroke: the picture is another for all panels. */
    changed() {
      where.textContent = editor.isPainted ? 'your picture' : words;
      if (editor.isPainted) classNote.textContent = ''; // it may be no more what its label says
      offerPicture(picture);
    },
    /** While disabled it shows nothing new, not even what was asked for before. */
    disable(isNow) {
      isDisabled = isNow;
      sources.element.disabled = isNow;
      for (const control of [...controls, classes, invert]) control.disabled = isNow;
      if (!isNow) return look();
      lastAsked += 1;
      sources.value = shown;
    },
  };
}

/** Of an image whose mean is nearer to ink than to paper: the models' images have light grounds. */
function isMostlyDark(image, kind) {
  const mean = image.reduce((sum, level) => sum + level, 0) / image.length;
  return mean > (kind.levels - 1) / 2;
}
