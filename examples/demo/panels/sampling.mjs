import { MODELS, sizeOf } from '../catalogue.mjs';
import { backendSelect } from '../parts/backends.mjs';
import { button, field, numberInput, select, slider } from '../parts/controls.mjs';
import { download, h, whenNear } from '../parts/dom.mjs';
import { seconds, times } from '../parts/figures.mjs';
import { gallery } from '../parts/pictures.mjs';
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
  const figures = h('dl.figures');
  const note = h(
    'p.hint',
    {},
    'The sampler runs on the processor, whatever the backend: it computes each feature once and keeps it. The backend runs the whole pass that is timed.',
  );
  let isDrawn = false;

  const backend = backendSelect();
  const model = select(
    Object.entries(MODELS).map(([value, { title }]) => ({ value, text: title })),
    { onchange: adapt },
  );
  const modelField = field('Model', model, MODELS.digits.note);
  const numImages = numberInput({ min: 1, max: 64, value: 16 });
  const seed = numberInput({ min: 0, max: 999_999_999, value: 1 });
  const temperature = slider('Temperature', {
    min: 0,
    max: 2,
    step: 0.05,
    value: 1,
    say: (x) => x.toFixed(2),
  });
  const topK = slider('Top-k', {
    ...{ min: 1, max: MODELS.digits.levels, step: 1, value: MODELS.digits.levels },
    say: (k) =>
      k === entry().levels
        ? `all ${k} levels`
        : k === 1
          ? 'the likeliest level'
          : `the ${k} likeliest levels`,
  });
  const classes = select([
    { value: 'each', text: '0 to 9 in turn' },
    ...Array.from({ length: 10 }, (_, k) => ({ value: String(k), text: String(k) })),
  ]);
  const classField = field('Class', classes);
  const draw = h('button.button.primary', { type: 'submit' }, 'Draw');
  const cancel = button('Cancel', task.cancel);
  const save = button('Download PNG', () =>
    task.run(async () => download(await pictures.toPng(), `${model.value}.png`)),
  );
  const form = h(
    'form.controls',
    {
      onsubmit(event) {
        event.preventDefault();
        start();
      },
    },
    modelField,
    classField,
    field('Backend', backend),
    h('div.pair', {}, field('Images', numImages), field('Seed', seed)),
    temperature.element,
    topK.element,
    h('div.buttons', {}, draw, cancel, save),
  );
  root.append(
    h(
      'div.work',
      {},
      form,
      h('div.stage', {}, h('div.tray', {}, pictures.element), bar, task.element, figures, note),
    ),
  );
  adapt();
  update();
  showFigures(null);
  whenNear(root, start);

  function entry() {
    return MODELS[model?.value ?? 'digits'];
  }

  /** To what the model takes. */
  function adapt() {
    modelField.querySelector('.hint').textContent = entry().note;
    classField.hidden = entry().numClasses === null;
    topK.setMax(entry().levels, entry().levels);
  }

  function update() {
    const { isBusy } = task;
    for (const control of form.elements) control.disabled = isBusy;
    cancel.disabled = !isBusy;
    save.disabled = isBusy || !isDrawn;
  }

  function start() {
    return task.run(async (signal) => {
      const { shape, levels, numClasses, title } = entry();
      const count = numImages.valueAsNumber;
      const job = {
        kind: 'sample',
        model: model.value,
        numImages: count,
        seed: seed.valueAsNumber,
        temperature: temperature.input.valueAsNumber,
        ...(topK.input.valueAsNumber < levels && { topK: topK.input.valueAsNumber }),
        ...(numClasses !== null && { classes: classesOf(classes.value, count, numClasses) }),
        isTimed: true,
      };
      const size = sizeOf(shape);
      isDrawn = false;
      showFigures(null);
      bar.value = 0;
      task.say('Drawing:');
      task.tick(`starting ${backend.value}…`);
      pictures.show(new Int32Array(count * size), { shape, levels }, () => false);
      pictures.element.setAttribute('aria-label', 'Being drawn');
      const {
        levels: values,
        seconds: time,
        passSeconds,
      } = await client.run(backend.value, job, {
        signal,
        onReport({ done, levels: values }) {
          pictures.show(values, { shape, levels }, (value) => value < done);
          bar.value = done / size;
          task.tick(
            done < size
              ? `row ${Math.ceil((done / size) * shape[0])} of ${shape[0]}`
              : 'timing a whole pass…',
          );
        },
      });
      pictures.show(values, { shape, levels });
      pictures.element.setAttribute('aria-label', `${count} images by the model ${title}, seed ${job.seed}`);
      bar.value = 1;
      isDrawn = true;
      task.say(`Drew ${count} ${count === 1 ? 'image' : 'images'} on ${backend.value} in ${seconds(time)}.`);
      showFigures({ time, passSeconds, size });
    });
  }

  function showFigures(figuresOfJob) {
    const { time, passSeconds, size } = figuresOfJob ?? {};
    const whole = passSeconds * size;
    const rows = [
      ['Time taken', figuresOfJob ? seconds(time) : '–', 'features computed once, and kept'],
      [
        'By whole passes',
        figuresOfJob ? `≈ ${seconds(whole)}` : '–',
        figuresOfJob
          ? `an estimate: one warm pass, ${seconds(passSeconds)} here, times ${size} values`
          : 'an estimate: one warm pass, times the values of an image',
      ],
      ['Ratio', figuresOfJob ? times(whole / time) : '–', 'quicker than whole passes'],
    ];
    figures.replaceChildren(
      ...rows.map(([name, value, note]) =>
        h('div', {}, h('dt', {}, name), h('dd', {}, value, h('small', {}, note))),
      ),
    );
  }

  return { client };
}

/** One for each image. */
function classesOf(choice, count, numClasses) {
  return Array.from({ length: count }, (_, i) => (choice === 'each' ? i % numClasses : Number(choice)));
}
