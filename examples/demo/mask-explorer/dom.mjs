/**
 * Makes an element. Attributes named on... are listeners; null and false leave an attribute out.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

let numChoices = 0;

/**
 * A row of options of which one is chosen: radio buttons, so the arrow keys work by themselves.
 *
 * @template T
 * @param {object} args
 * @param {string} args.legend
 * @param {[label: string, value: T][]} args.options
 * @param {T} args.value
 * @param {(value: T) => void} args.onChange
 * @returns {HTMLElement}
 */
export function choice({ legend, options, value, onChange }) {
  const name = `mask-choice-${++numChoices}`;
  const labels = options.map(([label, option]) => {
    const radio = element('input', { type: 'radio', name, onchange: () => onChange(option) });
    radio.checked = option === value;
    return element('label', {}, radio, element('span', {}, label));
  });
  return element(
    'fieldset',
    { class: 'mask-choice' },
    element('legend', {}, legend),
    element('div', { class: 'mask-options' }, ...labels),
  );
}
