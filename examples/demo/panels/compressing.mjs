import { MODELS, sizeOf } from '../catalogue.mjs';
import { sizeBars } from '../parts/bit-bars.mjs';
import { button } from '../parts/controls.mjs';
import { download, h, whenNear } from '../parts/dom.mjs';
import { fileDrop } from '../parts/file-drop.mjs';
import { imagePicker } from '../parts/image-picker.mjs';
import { gallery } from '../parts/pictures.mjs';
import { pngSize } from '../parts/png-size.mjs';
import { taskRunner } from '../parts/task.mjs';
import { whenCalm } from '../parts/when-calm.mjs';
import { workerClient } from '../parts/worker-client.mjs';

/** What the codec's files are called, as in examples/compress.mjs. */
const EXTENSION = 'pxc';
const isOurs = ({ name }) => name.toLowerCase().endsWith(`.${EXTENSION}`);

/**
 * Compress: an image as a small file, and back.
 *
 * @param {HTMLElement} root
 */
export function mountCompressing(root) {
  const client = workerClient();
  const task = taskRunner({ onChange: update });
  const compressSoon = whenCalm(task, compress);
  const picture = gallery({ label: 'Image to compress' });
  const picker = imagePicker(root, {
    client,
    sets: ['clothes', 'digits-28', 'emoji-32'],
    onPick(image) {
      levels = Uint8Array.from(image);
      picture.show(levels, MODELS[picker.name]);
      changed();
    },
    onClass: changed,
    takesFile(file) {
      if (isOurs(file)) back.take(file);
      return isOurs(file);
    },
  });
  const headline = h('p.headline', { role: 'status' });
  const bars = sizeBars();
  const save = button('Download', keep, 'button.primary');
  const returned = gallery({ label: 'Nothing read back yet' });
  const back = fileDrop({ label: `Choose a .${EXTENSION} file`, accept: `.${EXTENSION}`, read });
  const tray = h('div.tray', { hidden: true }, returned.element);
  let levels = new Uint8Array(1);
  /** The file of the image that is shown; null until it is made. */
  let bytes = null;
  /** What was downloaded: files, and the images in them. */
  const kept = [];
  root.append(
    h(
      'div.work.even.bench',
      h('div.controls', picker.element, h('div.tray.grid', picture.element)),
      h(
        'div.stage',
        headline,
        bars.element,
        h(
          'p.hint',
          'The model itself is not counted: to unpack any number of files, you need the same model once (1.2 MB). The PNG is the smallest that OxiPNG finds. About 60 bytes of every PNG, and about 40 bytes of our file, are headers.',
        ),
        h('div.buttons', save),
        task.element,
        h('h3', 'And back'),
        back.element,
        tray,
      ),
    ),
  );
  update();
  whenNear(root, picker.start);

  function update() {
    save.disabled = bytes === null;
  }

  function changed() {
    bytes = null;
    update();
    compressSoon();
  }

  async function compress(signal) {
    const { name: model, condition } = picker;
    const { shape, levels: numLevels } = MODELS[model];
    const image = levels;
    task.say('Compressing…');
    const made = await client.run({ kind: 'compress', model, levels: image, condition }, { signal });
    const png = await pngSize(client, MODELS[model], image, signal);
    if (image !== levels || condition !== picker.condition) return; // what is chosen now comes next
    bytes = made.bytes;
    const each = Math.ceil(Math.log2(numLevels));
    const raw = Math.ceil((sizeOf(shape) * each) / 8);
    const ours = bytes.length;
    headline.replaceChildren(
      'This image: ',
      h('strong', `${bytesOf(ours)}`),
      h('small', comparison(ours, png ?? raw, png === null ? 'raw levels' : 'a PNG')),
    );
    bars.show([
      { name: 'by the model', size: ours, words: number(ours), isPresent: true },
      ...(png === null ? [] : [{ name: 'as a PNG', size: png, words: number(png) }]),
      { name: `raw, ${each} bits a value`, size: raw, words: number(raw) },
    ]);
    task.say('');
    update();
  }

  function keep() {
    const { name, number } = picker;
    kept.push({ bytes, levels });
    download(new Blob([bytes]), `${name}-${number ?? 'mine'}.${EXTENSION}`);
    task.say('Downloaded. Drop the file below, or choose it, to get the image back.');
  }

  /** Unpacks a file, and says whether that is the image it was made of. */
  async function read(file, signal) {
    const { name: model } = picker;
    const bytes = new Uint8Array(await file.arrayBuffer());
    tray.hidden = true;
    const { levels: found, numImages } = await client
      .run({ kind: 'decompress', model, bytes }, { signal })
      .catch((error) => {
        throw signal.aborted ? error : new Error(refusalOf(file.name, error.message));
      });
    returned.show(found, MODELS[model]);
    returned.element.setAttribute('aria-label', `Read from ${file.name}`);
    tray.hidden = false;
    if (numImages > 1) return `${numImages} images.`;
    const own = kept.find((one) => isSame(one.bytes, bytes));
    const before = own?.levels ?? levels;
    const count = found.length;
    if (isSame(before, found)) {
      const which = own === undefined ? 'shown above' : 'downloaded';
      return `The same image: all ${count.toLocaleString('en')} values equal those of the image ${which}.`;
    }
    return 'An image from another time: there is nothing here to compare it with, but its checksum is right.';
  }
}

const number = (count) => count.toLocaleString('en');
const bytesOf = (count) => `${number(count)} bytes`;

function comparison(ours, theirs, what) {
  const percent = Math.round(100 * Math.abs(1 - ours / theirs));
  return ` ${percent}% ${ours < theirs ? 'smaller' : 'larger'} than ${what} of ${bytesOf(theirs)}, and just as exact.`;
}

const isSame = (some, others) =>
  some.length === others.length && some.every((value, i) => value === others[i]);

/** In words of the page what the codec says of a file that it refuses. */
function refusalOf(name, message) {
  if (message.includes('not a file of compressed images'))
    return `${name} is not a file of compressed images.`;
  if (message.includes('another model'))
    return `${name} was made with another model than the one chosen above, or is damaged. Nothing was unpacked.`;
  if (/damaged|truncated/.test(message)) return `${name} is damaged, so nothing was unpacked. (${message})`;
  return `${name} could not be unpacked: ${message}`;
}
