import { MODELS, sizeOf } from '../catalogue.mjs';
import { addressOf, onAddress, readAddress, setAddress } from '../parts/address-state.mjs';
import { button } from '../parts/controls.mjs';
import { download, h, whenNear } from '../parts/dom.mjs';
import { seconds } from '../parts/figures.mjs';
import { linkButton } from '../parts/link-button.mjs';
import { gallery } from '../parts/pictures.mjs';
import { replay } from '../parts/replay.mjs';
import { samplingForm } from '../parts/sampling-form.mjs';
import { columnsOf, drawingOf, queryOf, readState } from '../parts/sampling-state.mjs';
import { taskRunner } from '../parts/task.mjs';
import { workerClient } from '../parts/worker-client.mjs';

const ID = 'sampling';
/** Milliseconds from a change to the draw that it asks for: a slider changes many times. */
const SETTLES = 150;
/** Pictures side by side where the screen is narrow. */
const NARROW_COLUMNS = 5;

/**
 * Sampling: pictures that grow as they are drawn, and are drawn again with each change.
 *
 * @param {HTMLElement} root
 */
export function mountSampling(root) {
  const client = workerClient();
  const task = taskRunner({ onChange: update });
  const narrow = matchMedia('(max-width: 40rem)');
  /** What is drawn, or was last; with the images once they are whole. */
  let last = null;
  let timer;

  const columns = () => (narrow.matches ? NARROW_COLUMNS : columnsOf((last?.state ?? form.state).model));
  const pictures = gallery({ label: 'Nothing is drawn yet', columns });
  const bar = h('progress', { max: 1, value: 0, 'aria-label': 'Drawing' });
  const form = samplingForm({ onDraw: drawAsAsked, onChange: drawSoon });
  const draw = button('Draw others', drawOthers, 'button.primary');
  const cancel = button('Cancel', task.cancel);
  const save = button('Download PNG', () =>
    task.run(async () => download(await pictures.toPng(), `${last.state.model}.png`)),
  );
  const link = linkButton('Copy link', { address: () => addressOf(ID, queryOf(last.state)) });
  root.append(
    h(
      'div.work.sampling-work',
      h(
        'div.stage',
        h('div.tray', pictures.element),
        form.temperature,
        bar,
        task.element,
        h('div.buttons', draw, save, link.element, cancel),
        link.answer,
      ),
      h('div.controls', form.element),
    ),
  );
  showBlanks(form.state); // as large as what is drawn will be: nothing below moves
  update();
  narrow.addEventListener(
    'change',
    () => last?.values && pictures.show(last.values, MODELS[last.state.model]),
  );
  onAddress(ID, open);
  const asked = readAddress(ID);
  if (asked !== null) open(asked);
  else whenNear(root, () => last ?? task.run(drawNow));

  function update() {
    const { isBusy } = task;
    const isWhole = last !== null && last.values !== null;
    cancel.disabled = !isBusy;
    save.disabled = isBusy || !isWhole;
    link.element.disabled = last === null;
  }

  function showBlanks(state) {
    const kind = MODELS[state.model];
    const values = new Int32Array(drawingOf(state).numImages * sizeOf(kind.shape));
    pictures.show(values, kind, () => false);
  }

  function label(words) {
    pictures.element.setAttribute('aria-label', words);
  }

  /** The pictures of an address. */
  function open(query) {
    const { state, complaint } = readState(query);
    form.state = state;
    restart(complaint);
  }

  /** The visitor's own: it is in the address, to be found there again. */
  function drawAsAsked() {
    setAddress(addressOf(ID, queryOf(form.state)));
    restart();
  }

  function drawOthers() {
    form.renewSeed();
    drawAsAsked();
  }

  function drawSoon() {
    clearTimeout(timer);
    timer = setTimeout(drawAsAsked, SETTLES);
  }

  /** Draws what is asked for now, instead of what is being done. */
  function restart(complaint = '') {
    clearTimeout(timer);
    task.restart((signal) => {
      task.fail(complaint);
      return drawNow(signal);
    });
  }

  async function drawNow(signal) {
    const { isSlow, state } = form;
    const kind = MODELS[state.model];
    const { shape } = kind;
    const job = { kind: 'sample', ...drawingOf(state) };
    const size = sizeOf(shape);
    last = { state, values: null };
    link.clear();
    bar.value = 0;
    update();
    task.say('');
    task.tick('Drawing…');
    showBlanks(state);
    label('Being drawn');

    function onReport({ done, levels: values }) {
      if (isSlow) return;
      bar.value = done / size;
      pictures.show(values, kind, (value) => value < done);
      task.tick(`Drawing: row ${Math.ceil((done / size) * shape[0])} of ${shape[0]}`);
    }

    try {
      const { levels: values, seconds: time } = await client.run(job, { signal, onReport });
      last.values = values;
      if (isSlow) {
        task.tick('Drawn. It is shown slowed down…');
        await replay(pictures, values, kind, { signal, onShown: (share) => (bar.value = share) });
      } else pictures.show(values, kind);
      bar.value = 1;
      label(wordsFor(state, job.numImages));
      task.say(`Drew ${job.numImages} pictures in ${seconds(time)}.`);
    } catch (error) {
      label('Not drawn to the end');
      throw error;
    }
  }
}

/** What pictures show: is read out instead of them. */
function wordsFor({ model, group, seed }, count) {
  const entry = MODELS[model];
  const of = group === 'each' ? '' : `: ${entry.groups[group]}`;
  return `${count} pictures by the model ${entry.title}${of}; seed ${seed}`;
}
