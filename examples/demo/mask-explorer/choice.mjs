import { freshId, h } from '../parts/dom.mjs';

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
  const name = freshId();
  const labels = options.map(([label, option]) => {
    const onchange = () => onChange(option);
    const radio = h('input', { type: 'radio', name, checked: option === value, onchange });
    return h('label', radio, h('span', label));
  });
  return h('fieldset.mask-choice', h('legend', legend), h('div.mask-options', ...labels));
}
