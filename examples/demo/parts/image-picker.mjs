import { MODELS, sizeOf } from '../catalogue.mjs';
import { button, radios } from './controls.mjs';
import { h } from './dom.mjs';

const DIGITS = new URL('../../data/digits-test-images.u8', import.meta.url);

const READERS = {
  async digits() {
    const response = await fetch(DIGITS);
    if (!response.ok) throw new Error(`The digits cannot be read: ${response.status} ${response.statusText}`);
    return new Uint8Array(await response.arrayBuffer());
  },
  async emoji() {
    const { default: base64 } = await import('virtual:emoji-test-images');
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  },
};

/**
 * A choice of test images, that no model was trained on.
 *
 * @param {(image: Uint8Array, name: 'digits' | 'emoji') => void} onPick
 * @param {(error: Error) => void} onError
 */
export function testImages(onPick, onError) {
  const place = { digits: 0, emoji: 107 }; // a zero that might be a nine; a smile
  const sources = radios(
    'Test images',
    Object.keys(READERS).map((name) => ({ value: name, label: MODELS[name].title })),
    { onchange: () => step(0) },
  );
  const where = h('span.where', { role: 'status' });
  const buttons = [button('Previous', () => step(-1)), button('Next', () => step(1))];

  async function step(by) {
    const name = sources.value;
    try {
      const images = await READERS[name]();
      const size = sizeOf(MODELS[name].shape);
      const count = images.length / size;
      place[name] = (place[name] + by + count) % count;
      where.textContent = `${place[name] + 1} of ${count}`;
      onPick(images.subarray(place[name] * size, (place[name] + 1) * size), name);
      return true;
    } catch (error) {
      onError(error);
      return false;
    }
  }

  return {
    element: h('div.picker', {}, sources.element, h('div.buttons', {}, ...buttons, where)),
    /** The name of the present image's data set, and of its model. */
    get name() {
      return sources.value;
    },
    /** Picks the first; false where it cannot be read. */
    start: () => step(0),
    disable(isNow) {
      sources.element.disabled = isNow;
      for (const element of buttons) element.disabled = isNow;
    },
  };
}
