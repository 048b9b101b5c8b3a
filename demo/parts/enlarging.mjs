import { button } from './controls.mjs';
import { h } from './dom.mjs';
import { gallery } from './pictures.mjs';

/**
 * A button that shows the pictures of a gallery one at a time, large; a click on a picture does, too.
 *
 * @param {ReturnType<typeof gallery>} pictures
 */
export function enlarging(pictures) {
  const large = gallery({ label: 'Enlarged' });
  const which = h('p.status', { role: 'status' });
  const dialog = h(
    'dialog.enlarged',
    { 'aria-label': 'Pictures, enlarged', onkeydown: move },
    h('div.tray', large.element),
    which,
    h(
      'div.buttons',
      button('Previous', () => show(at - 1)),
      button('Next', () => show(at + 1)),
      button('Close', () => dialog.close()),
    ),
  );
  const open = button('Enlarge', () => begin(0));
  let at = 0;
  pictures.element.addEventListener('click', (event) => {
    const found = pictures.indexAt(event);
    if (found !== null && !open.disabled) begin(found);
  });

  pictures.element.addEventListener('change', () => dialog.open && show(at));

  function begin(index) {
    show(index);
    dialog.showModal();
  }

  /** After the last comes the first. */
  function show(index) {
    const { count, kind, isDrawn, valuesOf } = pictures.shown;
    at = (index + count) % count;
    large.show(valuesOf(at), kind, isDrawn);
    which.textContent = `${at + 1} of ${count}`;
  }

  function move({ key }) {
    if (key === 'ArrowLeft') show(at - 1);
    if (key === 'ArrowRight') show(at + 1);
  }

  return { button: open, dialog };
}
