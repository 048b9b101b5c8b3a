import { MODELS } from '../catalogue.mjs';
import { button } from './controls.mjs';
import { download, h } from './dom.mjs';
import { fileDrop } from './file-drop.mjs';
import { gallery } from './pictures.mjs';

/** What the codec's files are called, as in examples/compress.mjs. */
const EXTENSION = 'pxc';

/**
 * A picture as a small file to download, and back.
 *
 * @param {HTMLElement} root
 * @param {{ client: import('./worker-client.mjs').Client, present: () => { model: string, condition?: number } }} options `present`: what the picture is, as jobs are told
 */
export function packedFiles(root, { client, present }) {
  /** The file of the picture that is shown; null until it is made. */
  let offered = null;
  /** What was downloaded. */
  const kept = [];
  const save = button('Download the file', keep);
  const said = h('span', { role: 'status' });
  const returned = gallery({ label: 'Nothing read back yet' });
  const back = fileDrop({ label: `Choose a .${EXTENSION} file`, accept: `.${EXTENSION}`, read });
  const tray = h('div.tray', { hidden: true }, returned.element);
  save.disabled = true;

  function keep() {
    kept.push(offered);
    download(new Blob([offered.bytes]), `${offered.name}.${EXTENSION}`);
    said.textContent = 'Downloaded. Open it below to get the picture back.';
  }

  /** Unpacks a file, and says whether that is the picture it was made of. */
  async function read(file, signal) {
    const { model } = present();
    const bytes = new Uint8Array(await file.arrayBuffer());
    tray.hidden = true;
    const { levels: found, numImages } = await client
      .run({ kind: 'decompress', ...present(), bytes }, { signal })
      .catch((error) => {
        throw signal.aborted ? error : new Error(refusalOf(file.name, error.message));
      });
    returned.show(found, MODELS[model]);
    returned.element.setAttribute('aria-label', `Read from ${file.name}`);
    tray.hidden = false;
    if (numImages > 1) return `${numImages} pictures.`;
    const own = kept.find((one) => isSame(one.bytes, bytes));
    if (!isSame((own ?? offered)?.levels ?? [], found))
      return 'A picture from another time; its checksum is right.';
    const which = own === undefined ? 'shown above' : 'downloaded';
    return `The same picture: all ${found.length.toLocaleString('en')} pixels equal those of the one ${which}.`;
  }

  return {
    element: h(
      'details.files',
      h('summary', 'Save it, or open a file'),
      root.querySelector('.uncounted'),
      h('div.buttons', save, said),
      back.element,
      tray,
    ),
    /** @param {{ bytes: Uint8Array, levels: Uint8Array, name: string }} file of the picture that is shown */
    offer(file) {
      offered = file;
      save.disabled = false;
    },
    /** The picture has changed. */
    clear() {
      offered = null;
      save.disabled = true;
    },
    /** Unpacks a file that is one of ours; gives whether it is. */
    take(file) {
      const isOurs = file.name.toLowerCase().endsWith(`.${EXTENSION}`);
      if (isOurs) {
        root.querySelector('.files').open = true;
        back.take(file);
      }
      return isOurs;
    },
  };
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
