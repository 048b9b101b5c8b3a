import { freshId, h } from './dom.mjs';

/** A control with its label above it, and what else there is to say below. */
export function field(label, control, hint = '') {
  const id = freshId();
  control.id = id;
  const note = hint && h('span.hint', { id: `${id}-hint` }, hint);
  if (note) control.setAttribute('aria-describedby', note.id);
  return h('div.field', h('label', { htmlFor: id }, label), control, note || null);
}

/** @param {{ value: string, text: string, disabled?: boolean }[]} options */
export function select(options, properties = {}) {
  const element = h('select', properties);
  element.append(...options.map((option) => h('option', option)));
  return element;
}

/** A whole number between two others. */
export function numberInput({ min, max, value }, properties = {}) {
  return h('input', {
    type: 'number',
    inputMode: 'numeric',
    required: true,
    step: 1,
    min,
    max,
    value,
    ...properties,
  });
}

/** A slider that says its value in words. */
export function slider(label, { min, max, step, value, say = String }) {
  const id = freshId();
  const output = h('output', { htmlFor: id });
  const input = h('input', { id, type: 'range', min, max, step, value });
  const show = () => {
    output.value = say(input.valueAsNumber);
    input.setAttribute('aria-valuetext', output.value);
  };
  input.addEventListener('input', show);
  show();
  const element = h('div.field', h('label', { htmlFor: id }, label, ' ', output), input);
  const set = (now) => {
    input.value = now;
    show();
  };
  /** For another range. */
  const setMax = (highest, now) => {
    input.max = highest;
    set(now);
  };
  return { element, input, set, setMax };
}

/**
 * One of a few, each seen.
 *
 * @param {{ value: string, label: Node | string, isHidden?: boolean }[]} choices the first is chosen; one that is hidden is shown once it is chosen
 */
export function radios(legend, choices, { className = 'segments', onchange = () => {} } = {}) {
  const name = freshId();
  const element = h(`fieldset.choices.${className}`, { onchange });
  const inputs = choices.map(({ value }, i) => h('input', { type: 'radio', name, value, checked: i === 0 }));
  element.append(
    h('legend', legend),
    ...choices.map(({ label, isHidden }, i) =>
      h('label', { hidden: isHidden === true }, inputs[i], h('span', label)),
    ),
  );
  return {
    element,
    get value() {
      return inputs.find(({ checked }) => checked).value;
    },
    set value(value) {
      const input = inputs.find((one) => one.value === value);
      input.checked = true;
      input.parentElement.hidden = false;
    },
  };
}

export const button = (text, onclick, className = 'button') =>
  h(`button.${className}`, { type: 'button', onclick }, text);
