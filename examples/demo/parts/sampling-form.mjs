import { MODELS } from '../catalogue.mjs';
import { backendSelect } from './backends.mjs';
import { button, field, numberInput, radios, select, slider } from './controls.mjs';
import { h } from './dom.mjs';

const MOST_SEED = 999_999_999;

/**
 * All that can be chosen for a draw.
 *
 * @param {{ onDraw: () => void, buttons: HTMLElement[] }} options `buttons`: what else stands beside Draw
 */
export function samplingForm({ onDraw, buttons }) {
  const backend = backendSelect();
  const model = select(
    Object.entries(MODELS).map(([value, { title }]) => ({ value, text: title })),
    { onchange: adapt },
  );
  const modelField = field('Model', model, MODELS.digits.note);
  const numImages = numberInput({ min: 1, max: 64, value: 16 });
  const seed = numberInput({ min: 0, max: MOST_SEED, value: 1 });
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
  const speed = radios('Show it', [
    { value: 'fast', label: 'as fast as it goes' },
    { value: 'slow', label: 'slowly' },
  ]);
  const renew = button('New seed', () => {
    seed.value = Math.floor(MOST_SEED * Math.random());
    element.requestSubmit();
  });
  const element = h(
    'form.controls',
    {
      onsubmit(event) {
        event.preventDefault();
        onDraw();
      },
    },
    modelField,
    classField,
    field('Backend', backend),
    field('Images', numImages),
    h('div.beside', {}, field('Seed', seed), renew),
    temperature.element,
    topK.element,
    speed.element,
    h('div.buttons', {}, h('button.button.primary', { type: 'submit' }, 'Draw'), ...buttons),
  );
  adapt();

  function entry() {
    return MODELS[model?.value ?? 'digits'];
  }

  /** To what the model takes. */
  function adapt() {
    modelField.querySelector('.hint').textContent = entry().note;
    classField.hidden = entry().numClasses === null;
    topK.setMax(entry().levels, entry().levels);
  }

  return {
    element,
    get backend() {
      return backend.value;
    },
    get isSlow() {
      return speed.value === 'slow';
    },
    /** @returns {import('../worker/protocol.mjs').SampleJob} */
    job() {
      const { levels, numClasses } = entry();
      const count = numImages.valueAsNumber;
      return {
        kind: 'sample',
        model: model.value,
        numImages: count,
        seed: seed.valueAsNumber,
        temperature: temperature.input.valueAsNumber,
        ...(topK.input.valueAsNumber < levels && { topK: topK.input.valueAsNumber }),
        ...(numClasses !== null && { classes: classesOf(classes.value, count, numClasses) }),
        isTimed: true,
      };
    },
    disable(isNow) {
      for (const control of element.elements) control.disabled = isNow;
    },
  };
}

/** One for each image. */
function classesOf(choice, count, numClasses) {
  return Array.from({ length: count }, (_, i) => (choice === 'each' ? i % numClasses : Number(choice)));
}
