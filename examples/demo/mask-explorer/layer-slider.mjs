import { h } from '../parts/dom.mjs';

/**
 * Chooses a layer, from the first convolution up.
 *
 * @param {(layer: number) => void} onChange
 */
export function layerSlider(onChange) {
  const title = h('span');
  const range = h('input', { type: 'range', min: 1, oninput: () => onChange(Number(range.value)) });
  const root = h('label.mask-slider', title, range);

  function show(layer, numLayers, firstKernelSize) {
    const square = (size) => `${size}×${size}`;
    const name =
      layer === 1
        ? `the first convolution, ${square(firstKernelSize)}, mask A`
        : `block ${layer - 1}, ${square(3)}, mask B`;
    title.textContent = `Up to layer ${layer} of ${numLayers}: ${name}`;
    range.max = numLayers;
    range.value = layer;
    range.disabled = numLayers === 1;
    range.setAttribute('aria-valuetext', `layer ${layer}, ${name}`);
  }
  return { root, show };
}
