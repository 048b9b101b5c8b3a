import { kernelPart } from './kernel-part.mjs';
import { layersPart } from './layers-part.mjs';

/**
 * The panel about masks: what a pixel sees, layer by layer, and which weights of a kernel are used. No tensors.
 *
 * @param {HTMLElement} root
 */
export function mountMaskExplorer(root) {
  const [oneLayer, words] = root.querySelectorAll('.mask-words, details');
  oneLayer.before(layersPart(...root.querySelectorAll('.field-words')));
  oneLayer.append(kernelPart(words));
}
