import { MODELS } from '../catalogue.mjs';
import { field, numberInput, select, slider } from './controls.mjs';
import { freshId, h } from './dom.mjs';
import { freshSeed, MAX_SEED } from './random.mjs';
import { columnsOf, firstState, HOTTEST, MAX_ROWS, SAMPLED, TEMPERATURE_STEP } from './sampling-state.mjs';

/**
 * All that can be chosen for a draw.
 *
 * @param {{ onDraw: () => void, onChange: () => void }} options `onChange` is called with each change that asks for other pictures
 */
export function samplingForm({ onDraw, onChange }) {
  const first = firstState();
  const changed = () => checkSeed() && onChange();
  const model = select(
    SAMPLED.map((value) => ({ value, text: MODELS[value].title })),
    {
      onchange() {
        adapt();
        changed();
      },
    },
  );
  const modelField = field('Model', model, ' ');
  const group = select([], { onchange: changed });
  const groupField = field('Class', group);
  const rows = slider('Pictures', {
    ...{ min: 1, max: MAX_ROWS, step: 1, value: first.rows },
    say: (rows) => rows * columnsOf(model.value),
  });
  const seed = numberInput({ min: 0, max: MAX_SEED, value: first.seed }, { oninput: checkSeed });
  const seedError = h('p.field-error', { id: freshId(), role: 'alert', hidden: true });
  seed.setAttribute('aria-describedby', seedError.id);
  const temperature = slider('Temperature', {
    ...{ min: 0, max: HOTTEST, step: TEMPERATURE_STEP, value: first.temperature },
    say: (x) => x.toFixed(2),
  });
  const topK = slider('Choose from', {
    ...{ min: 1, max: first.topK, step: 1, value: first.topK },
    say(k) {
      if (k === entry().levels) return 'all shades';
      return k === 1 ? 'the likeliest shade' : `the ${k} likeliest shades`;
    },
  });
  for (const { input } of [rows, temperature, topK]) input.addEventListener('input', changed);
  seed.addEventListener('change', changed);
  const slow = h('input', { type: 'checkbox' });
  const element = h(
    'form.controls',
    {
      id: freshId(),
      noValidate: true, // what is wrong is said beside it
      onsubmit(event) {
        event.preventDefault();
        if (checkSeed()) onDraw();
      },
    },
    modelField,
    groupField,
    h('div.field', ...field('Seed', seed).childNodes, seedError),
    topK.element,
    rows.element,
    h('label.check', slow, 'Slow motion'),
  );
  adapt();

  function entry() {
    return MODELS[model?.value ?? first.model];
  }

  /** To what the model takes. */
  function adapt() {
    const { note, groups, levels, shape } = entry();
    const shades = levels === 2 ? 'black or white' : `${levels} shades of grey`;
    modelField.querySelector('.hint').textContent =
      `${shape[0]} by ${shape[1]} pixels in ${shades}. A ${note}`;
    groupField.hidden = groups.length === 0;
    group.replaceChildren(
      h('option', { value: 'each', text: `All ${groups.length} in turn` }),
      ...groups.map((text, value) => h('option', { value, text })),
    );
    topK.setMax(levels, levels);
    topK.element.hidden = levels === 2; // of two shades, all or one
    rows.set(firstState(model.value).rows);
  }

  /** Whether the seed is one; says so if it is not. */
  function checkSeed() {
    const isGood = seed.validity.valid;
    seedError.hidden = isGood;
    seedError.textContent = isGood ? '' : `Wanted a whole number from 0 to ${MAX_SEED.toLocaleString('en')}.`;
    seed.setAttribute('aria-invalid', String(!isGood));
    return isGood;
  }

  return {
    element,
    temperature: temperature.element,
    renewSeed() {
      seed.value = freshSeed();
      checkSeed();
    },
    get isSlow() {
      return slow.checked;
    },
    /** @returns {import('./sampling-state.mjs').SamplingState} */
    get state() {
      return {
        model: model.value,
        group: group.value,
        rows: rows.input.valueAsNumber,
        seed: seed.valueAsNumber,
        temperature: temperature.input.valueAsNumber,
        topK: topK.input.valueAsNumber,
      };
    },
    set state(state) {
      if (!SAMPLED.includes(state.model) && model.options.length === SAMPLED.length)
        model.append(h('option', { value: state.model }, MODELS[state.model].title));
      model.value = state.model;
      adapt();
      group.value = state.group;
      seed.value = state.seed;
      rows.set(state.rows);
      temperature.set(state.temperature);
      topK.set(state.topK);
      checkSeed();
    },
  };
}
