import { addOwnNetwork, sizeOf } from '../catalogue.mjs';
import { addressOf } from '../parts/address-state.mjs';
import { button, field, radios, select, slider } from '../parts/controls.mjs';
import { h, whenNear } from '../parts/dom.mjs';
import { NETWORKS, weightsOf } from '../parts/networks.mjs';
import { ownDrawings } from '../parts/own-drawings.mjs';
import { offerPicture } from '../parts/own-picture.mjs';
import { recordedRun } from '../parts/recorded-run.mjs';
import { runView } from '../parts/run-view.mjs';
import { store } from '../parts/store.mjs';
import { taskRunner } from '../parts/task.mjs';
import { workerClient } from '../parts/worker-client.mjs';
import { KEPT_NAME } from '../worker/protocol.mjs';
import { SETS } from '../worker/training-sets.mjs';

/**
 * Train here: a recorded run to look through, and runs of the visitor's own, kept in this browser where wanted.
 *
 * @param {HTMLElement} root
 */
export function mountTraining(root) {
  const client = workerClient('tfjs', {
    onLost() {
      present = null;
    },
  });
  const task = taskRunner({ onChange: update });
  const view = runView();
  const drawings = ownDrawings({ onChange: update });
  const caption = h('p');
  /** @type {import('../parts/run-view.mjs').Run | null} */
  let recorded = null;
  /** The worker's run as far as it is known here, and whether it is saved; null where the worker has none. */
  let present = null;
  /** Of the kept run that this tab knows of: another tab may have kept another one since. */
  let seen = keptRun()?.date;
  let isTraining = false;

  const set = select(
    Object.entries(SETS).map(([value, { title }]) => ({ value, text: title })),
    { onchange: update },
  );
  const network = radios(
    'Network',
    [
      { value: 'plain', label: NETWORKS.plain },
      { value: 'gated', label: NETWORKS.gated },
      { value: 'plain gated', label: 'Both' },
    ],
    { onchange: update },
  );
  const width = slider('Channels', { min: 8, max: 48, step: 8, value: 16 });
  const depth = slider('Blocks', { min: 1, max: 6, step: 1, value: 3 });
  for (const { input } of [width, depth]) input.addEventListener('input', update);
  const count = h('p.status');
  const backend = select([
    { value: 'wasm', text: 'processor, WebAssembly' },
    { value: 'webgl', text: 'graphics card, WebGL' },
    { value: 'webgpu', text: 'graphics card, WebGPU' },
    { value: 'cpu', text: 'processor, plain JavaScript' },
  ]);
  const train = button('Train', start, 'button.primary');
  const stop = button('Stop', task.cancel);
  const use = button('Use my network', () => task.run(useNetwork));
  const save = button('Save', () => task.run(keep));
  const load = button('Load', () => mayLose() && task.run(takeKept));
  const renew = button('Start over', () => mayLose() && task.run(startAnew));
  const [lines, ends] = root.querySelectorAll('.hint');
  const isOwn = () => set.value === 'drawings';
  root.append(
    h(
      'div.work.look',
      h('div.stage', caption, view.element, lines),
      h(
        'div.controls',
        h('h3', 'Train your own'),
        field('Images', set),
        drawings.element,
        network.element,
        h(
          'details',
          h('summary', 'More settings'),
          width.element,
          depth.element,
          field('Computed by', backend),
        ),
        count,
        h('div.launch', h('div.buttons.evenly', train, stop, use, renew), task.element),
        h('div.buttons.evenly', save, load),
        ends,
      ),
    ),
  );
  update();
  whenNear(root, () => task.run(open));
  addEventListener('storage', update); // another tab has kept a run, or a drawing
  addEventListener('beforeunload', (event) => {
    if (isTraining || hasUnsaved()) event.preventDefault(); // the browser asks whether to leave
  });

  /** Without the worker, and so without tfjs, which is loaded when something is to be computed. */
  async function open() {
    await Promise.all([view.bringChart(), bringRecorded()]);
    if (seen) task.say(`A run is saved in this browser: ${words(keptRun())}.`);
  }

  async function bringRecorded() {
    recorded ??= await recordedRun();
    show(recorded, 0);
    view.play();
  }

  function show(run, frame) {
    caption.textContent = `${run === recorded ? 'A recorded run' : 'Your run'}: ${SETS[run.set].title}`;
    view.show(run, frame);
  }

  function settings() {
    const { shape, levels } = SETS[set.value];
    const networks = network.value.split(' ');
    const [w, d] = [width, depth].map(({ input }) => input.valueAsNumber);
    return { set: set.value, shape, levels, networks, width: w, depth: d };
  }

  function update() {
    const { isBusy } = task;
    drawings.element.hidden = !isOwn();
    const isSet = isBusy || present !== null;
    for (const control of [set, network.element, width.input, depth.input, backend]) control.disabled = isSet;
    train.disabled = isBusy || (isOwn() && drawings.count === 0);
    stop.disabled = !isTraining;
    save.disabled = renew.disabled = use.disabled = isBusy || present === null;
    load.disabled = isBusy || keptRun() === null;
    train.textContent = present === null ? 'Train' : 'Continue';
    const chosen = settings();
    count.textContent = `${chosen.networks.map((name) => weightsOf(name, chosen)).join(' and ')} weights`;
  }

  function hasUnsaved() {
    return present !== null && !present.isSaved;
  }

  /** Asks where steps would be lost. */
  function mayLose() {
    if (!hasUnsaved()) return true;
    return confirm(`The run at step ${present.step} is not saved. Go on without it?`);
  }

  function start() {
    return task.run(async (signal) => {
      isTraining = true;
      const chosen = settings();
      present ??= { ...chosen, frames: [], step: 0 };
      present.isSaved = false;
      const run = present;
      update();
      caption.scrollIntoView({ block: 'nearest' }); // on a phone it may be far above
      task.say('Training:');
      task.tick(`starting ${backend.value}…`);
      const job = {
        kind: 'train',
        backend: backend.value,
        settings: chosen,
        drawings: isOwn() ? drawings.images : null,
        cores: navigator.hardwareConcurrency,
      };
      const onReport = (progress) => {
        add(run, progress);
        task.say(progress.cores > 1 ? `Training on ${progress.cores} cores:` : 'Training:');
        task.tick(`step ${run.step}.`);
      };
      try {
        add(run, await client.run(job, { signal, onReport }));
        task.say(`Stopped: step ${run.step}. Not saved. Start over to choose other images.`);
      } catch (error) {
        if (run.step === 0) present = null;
        throw error;
      } finally {
        isTraining = false;
      }
    });
  }

  /** @param {import('../worker/protocol.mjs').Progress} progress */
  function add(run, { step, curves, samples }) {
    Object.assign(run, { step, curves });
    if (samples !== null) run.frames.push(samples);
    show(run);
  }

  /** Not over what another tab has saved, unless the visitor knows of it. */
  async function keep() {
    const found = keptRun();
    if (found && found.date !== seen) {
      seen = found.date;
      task.say(`Not saved: another tab has saved ${words(found)}. Save again to replace that, or load it.`);
      return;
    }
    const saved = await client.run({ kind: 'save', backend: backend.value });
    store[KEPT_NAME] = JSON.stringify(saved);
    seen = saved.date;
    present.isSaved = true;
    task.say(`Saved in this browser: step ${saved.step}.`);
  }

  async function takeKept() {
    const { settings, curves, step, date } = await client.run({ kind: 'load', backend: backend.value });
    seen = date;
    present = { ...settings, curves, frames: [], step, isSaved: true };
    set.value = settings.set;
    network.value = settings.networks.join(' ');
    width.set(settings.width);
    depth.set(settings.depth);
    update();
    present.frames.push(await client.run({ kind: 'draw', backend: backend.value, seed: 1 }));
    show(present);
    task.say(`Loaded: step ${step}. Continue training it, or use it.`);
  }

  /** In other panels: it goes on from what it has drawn. */
  async function useNetwork() {
    const { bytes } = await client.run({ kind: 'write', backend: backend.value });
    addOwnNetwork(present, bytes);
    const { step, levels } = present.frames.at(-1);
    const own = {
      name: 'mine',
      levels: levels.at(-1).slice(0, sizeOf(present.shape)),
      number: null,
      condition: null,
    };
    offerPicture(() => own);
    location.href = addressOf('drawing', { model: 'mine', step });
  }

  async function startAnew() {
    await client.run({ kind: 'forget', backend: backend.value });
    present = null;
    if (recorded) show(recorded, 0);
    task.say('');
  }
}

/** What is known of the run that is kept in this browser, without tfjs. @returns {import('../worker/protocol.mjs').Saved | null} */
function keptRun() {
  try {
    return JSON.parse(store[KEPT_NAME] ?? null);
  } catch {
    return null; // of another program
  }
}

const words = ({ step, date }) => `step ${step}, ${new Date(date).toLocaleString()}`;
