import { MODELS, sizeOf } from '../catalogue.mjs';
import { button } from '../parts/controls.mjs';
import { download, h, whenNear } from '../parts/dom.mjs';
import { seconds } from '../parts/figures.mjs';
import { gallery } from '../parts/pictures.mjs';
import { replay } from '../parts/replay.mjs';
import { samplingFigures } from '../parts/sampling-figures.mjs';
import { samplingForm } from '../parts/sampling-form.mjs';
import { taskRunner } from '../parts/task.mjs';
import { workerClient } from '../parts/worker-client.mjs';

/**
 * Sampling live: pictures that grow as they are drawn.
 *
 * @param {HTMLElement} root
 */
export function mountSampling(root) {
  const client = workerClient();
  const task = taskRunner({ onChange: update });
  const pictures = gallery({ label: 'Nothing drawn yet' });
  const bar = h('progress', { max: 1, value: 0, 'aria-label': 'Drawing' });
  const figures = samplingFigures();
  const note = h(
    'p.hint',
    {},
    'The sampler runs on the processor, whatever the backend: it computes each feature once and keeps it. The backend runs the whole pass that is timed.',
  );
  const cancel = button('Cancel', task.cancel);
  const save = button('Download PNG', () =>
    task.run(async () => download(await pictures.toPng(), `${drawn}.png`)),
  );
  const form = samplingForm({ onDraw: start, buttons: [cancel, save] });
  /** The model that drew what is shown; null until that is whole. */
  let drawn = null;
  root.append(
    h(
      'div.work',
      {},
      form.element,
      h('div.stage', {}, h('div.tray', {}, pictures.element), bar, task.element, figures.element, note),
    ),
  );
  update();
  whenNear(root, start);

  function update() {
    const { isBusy } = task;
    form.disable(isBusy);
    cancel.disabled = !isBusy;
    save.disabled = isBusy || drawn === null;
  }

  function label(words) {
    pictures.element.setAttribute('aria-label', words);
  }

  function start() {
    return task.run(async (signal) => {
      const { backend, isSlow } = form;
      const job = form.job();
      const { shape, levels, title } = MODELS[job.model];
      const kind = { shape, levels };
      const size = sizeOf(shape);
      const images = `${job.numImages} ${job.numImages === 1 ? 'image' : 'images'}`;
      let time;
      let finished;
      drawn = null;
      figures.show();
      bar.value = 0;
      task.say('Drawing:');
      task.tick(`starting ${backend}…`);
      pictures.show(new Int32Array(job.numImages * size), kind, () => false);
      label('Being drawn');

      /** Shows what is whole; that a pass is timed meanwhile, or not any more, takes nothing from it. */
      async function finish(values) {
        task.tick(isSlow ? 'shown slowed down…' : '');
        if (isSlow) await replay(pictures, values, kind, signal);
        else pictures.show(values, kind);
        label(`${images} by the model ${title}, seed ${job.seed}`);
        drawn = job.model;
        figures.show({ time, size });
        task.say('Drawn:');
        task.tick('timing a whole pass…');
      }

      function onReport({ done, levels: values, seconds }) {
        bar.value = done / size;
        time = seconds;
        if (seconds !== undefined) finished = finish(values);
        else {
          if (!isSlow) pictures.show(values, kind, (value) => value < done);
          task.tick(`row ${Math.ceil((done / size) * shape[0])} of ${shape[0]}`);
        }
      }

      try {
        const { passSeconds } = await client.run(backend, job, { signal, onReport }).finally(() => finished);
        task.say(`Drew ${images} on ${backend} in ${seconds(time)}.`);
        figures.show({ time, passSeconds, size });
      } finally {
        if (drawn === null) label('Not drawn to the end');
      }
    });
  }
}
