import { kernelPart } from './kernel-part.mjs';
import { layersPart } from './layers-part.mjs';

/**
 * The panel about masks: which weights of a kernel are used, and what a pixel then sees, layer by layer. No tensors.
 *
 * @param {HTMLElement} root
 */
export function mountMaskExplorer(root) {
  const [words, throughLayers] = root.querySelectorAll('.mask-words, details');
  throughLayers.before(kernelPart(words));
  throughLayers.append(layersPart());
}
