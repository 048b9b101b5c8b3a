import { h } from './dom.mjs';

/** A box to tick. */
export function toggle(label, { isOn, onchange }) {
  const input = h('input', { type: 'checkbox', checked: isOn, onchange });
  return { element: h('label.toggle', input, label), input };
}
