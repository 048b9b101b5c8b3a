import { MODELS, sizeOf } from '../catalogue.mjs';
import { backendSelect } from '../parts/backends.mjs';
import { button, field, radios, select } from '../parts/controls.mjs';
import { h, whenNear } from '../parts/dom.mjs';
import { keptModel } from '../parts/kept-model.mjs';
import { gallery } from '../parts/pictures.mjs';
import { sampleHistory } from '../parts/sample-history.mjs';
import { taskRunner } from '../parts/task.mjs';
import { workerClient } from '../parts/worker-client.mjs';
import { TRAINING_SAMPLES } from '../worker/protocol.mjs';

const KIND = MODELS.digits;

/**
 * Train here: a model of digits, from noise; kept in this browser where wanted.
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
  const pictures = gallery({ label: 'No samples yet', columns: () => 8 });
  const history = sampleHistory();
  const caption = h('p.status', '16 samples, as they improve');
  const chartPlace = h('div');
  const bar = h('progress', { max: 1, value: 0, 'aria-label': 'Time of training' });
  let chart = null;
  /** What is known of the worker's model, also the step at which it was saved; null where it has none. */
  let present = null;
  /** What is known of the kept model; null where there is none, or it is not known. */
  let kept = null;
  let isTraining = false;

  const network = radios('Network', [
    { value: 'plain', label: 'PixelCNN' },
    { value: 'gated', label: 'Gated PixelCNN' },
  ]);
  const backend = backendSelect();
  const time = select([
    { value: '60', text: '1 minute' },
    { value: '180', text: '3 minutes' },
    { value: '600', text: '10 minutes' },
  ]);
  const train = button('Train', start, 'button.primary');
  const stop = button('Stop', task.cancel);
  const draw = button('Draw others', drawOthers);
  const save = button('Save', () => task.run(keep));
  const load = button('Load', () => mayLose() && task.run(takeKept));
  const renew = button('Start over', () => mayLose() && task.run(startAnew));
  root.append(
    h(
      'div.work',
      h(
        'div.controls',
        network.element,
        field('Backend', backend),
        field('Train for', time),
        h('div.buttons.evenly', train, stop),
        h('div.buttons.evenly', draw, renew, save, load),
        h(
          'p.hint',
          'Save keeps one model in this browser. After a reload, Load brings it back, to draw with or to train further.',
        ),
        task.element,
      ),
      h(
        'div.stage',
        bar,
        chartPlace,
        h(
          'p.hint',
          'Each step sees different images, so the line of training images is smoothed: it is a running average over about the last 50 steps. Dots are measured on 99 test images.',
        ),
        h('figure.latest', h('div.tray', pictures.element), h('figcaption', caption)),
        history.element,
      ),
    ),
  );
  showSamples(null);
  update();
  whenNear(root, () => task.run(() => Promise.all([bringChart(), lookForKept()])));
  addEventListener('beforeunload', (event) => {
    if (isTraining || hasUnsaved()) event.preventDefault(); // the browser asks whether to leave
  });

  async function bringChart() {
    const { lossChart } = await import('../parts/loss-chart.mjs');
    chart = lossChart(chartPlace, [
      { name: `uniform guess: log₂ ${KIND.levels} =`, bits: Math.log2(KIND.levels) },
      { name: 'the digits model of this page:', bits: KIND.testBits },
    ]);
  }

  /** Without the worker, and so without tfjs, which is loaded when something is to be computed. */
  async function lookForKept() {
    kept = await keptModel().catch(({ message }) => {
      throw new Error(`what is saved in this browser cannot be read: ${message}`);
    });
    if (kept !== null) task.say(`A model is saved in this browser: step ${kept.step}, ${dateOf(kept)}.`);
  }

  function update() {
    const { isBusy } = task;
    network.element.disabled = backend.disabled = isBusy || present !== null;
    time.disabled = train.disabled = isBusy;
    stop.disabled = !isTraining;
    draw.disabled = isBusy || present === null;
    save.disabled = isBusy || present === null;
    load.disabled = isBusy || kept === null;
    renew.disabled = isBusy || present === null;
    train.textContent = present === null ? 'Train' : 'Continue';
  }

  function hasUnsaved() {
    return present !== null && present.step !== present.savedStep;
  }

  /** Asks where steps would be lost. */
  function mayLose() {
    if (!hasUnsaved()) return true;
    return confirm(`The model at step ${present.step} is not saved. Go on without it?`);
  }

  function start() {
    return task.run(async (signal) => {
      isTraining = true;
      present ??= fresh();
      const run = present;
      update();
      task.say('Training:');
      task.tick(`starting ${backend.value}…`);
      const seconds = Number(time.value);
      const began = performance.now();
      const cores = navigator.hardwareConcurrency;
      const job = { kind: 'train', network: network.value, seconds, cores };
      const onReport = (progress) => {
        show(run, progress);
        bar.value = (performance.now() - began) / 1000 / seconds;
        task.say(progress.cores > 1 ? `Training on ${progress.cores} cores:` : 'Training:');
        task.tick(standing(run));
      };
      try {
        show(run, await client.run({ ...job, backend: backend.value }, { signal, onReport }));
        task.say(`Stopped: ${standing(run)} Not saved.`);
      } catch (error) {
        if (run.step === 0) present = null;
        throw error;
      } finally {
        isTraining = false;
        bar.value = 0;
      }
    });
  }

  /** @param {import('../worker/protocol.mjs').Progress} progress */
  function show(run, { step, training, test, samples }) {
    run.step = step;
    run.training.push(...training);
    run.test.push(...test);
    chart?.show(run.training, run.test);
    if (samples === null) return;
    showSamples(samples);
    history.add(samples);
  }

  /** @param {{ step: number, levels: Int32Array } | null} samples */
  function showSamples(samples) {
    const none = new Int32Array(TRAINING_SAMPLES * sizeOf(KIND.shape));
    pictures.show(samples?.levels ?? none, KIND, () => samples !== null);
    const words = samples === null ? 'No samples yet' : `16 samples at step ${samples.step}`;
    pictures.element.setAttribute('aria-label', words);
    caption.textContent = samples === null ? '16 samples will come here, and get better.' : `${words}.`;
  }

  function drawOthers() {
    return task.run(async (signal) => {
      const job = { kind: 'draw', seed: Math.floor(1e6 * Math.random()) };
      showSamples(await client.run({ ...job, backend: backend.value }, { signal }));
      task.say('Drew 16 others.');
    });
  }

  async function keep() {
    kept = await client.run({ kind: 'save', backend: backend.value });
    present.savedStep = kept.step;
    task.say(`Saved in this browser: step ${kept.step}.`);
  }

  async function takeKept() {
    const {
      step,
      network: kind,
      training,
      test,
    } = await client.run({ kind: 'load', backend: backend.value });
    network.value = kind;
    present = { step, savedStep: step, training, test };
    history.clear();
    chart?.show(training, test);
    showSamples(await client.run({ kind: 'draw', backend: backend.value, seed: 1 }));
    task.say(`Loaded: ${standing(present)} Continue training it, or draw.`);
  }

  async function startAnew() {
    await client.run({ kind: 'forget', backend: backend.value });
    present = null;
    history.clear();
    chart?.show([], []);
    showSamples(null);
    task.say('');
  }
}

const fresh = () => ({ step: 0, savedStep: 0, training: [], test: [] });

function standing({ step, training, test }) {
  const bits = training.at(-1)?.[1].toFixed(2) ?? '–';
  const testBits = test.at(-1)?.[1].toFixed(2) ?? '–';
  return `step ${step}, ${bits} bits/dim in training, ${testBits} on test images.`;
}

const dateOf = ({ date }) => new Date(date).toLocaleString();
