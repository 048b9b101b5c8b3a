import { h } from '../parts/dom.mjs';
import { channelNames } from './channels.mjs';

/**
 * The current pixel, colour by colour: which are seen, which one is computed, which are to come. A colour clicked becomes the one computed.
 *
 * @param {(channel: number) => void} onPick
 */
export function colourButtons(onPick) {
  const root = h('div.mask-colours', { role: 'group', 'aria-label': 'Colour computed' });
  let buttons = [];

  function show({ channel }, channels) {
    if (buttons.length !== channels) {
      buttons = channelNames(channels).map((name, index) =>
        h(
          'button',
          { type: 'button', onclick: () => onPick(index) },
          h(`i.mask-dot.mask-${name}`),
          name,
          h('small'),
        ),
      );
      root.replaceChildren(...buttons);
    }
    buttons.forEach((button, index) => {
      const state = index < channel ? 'seen' : index === channel ? 'computed' : 'to come';
      button.lastChild.textContent = state;
      button.setAttribute('aria-pressed', index === channel);
    });
  }
  return { root, show };
}
