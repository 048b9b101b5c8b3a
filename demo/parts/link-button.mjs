import { setAddress } from './address-state.mjs';
import { button } from './controls.mjs';
import { freshId, h } from './dom.mjs';

/**
 * A button that copies a link. Where the browser does not let a page copy, the link is there to be copied by hand.
 *
 * @param {string} text
 * @param {{ address: () => string, textOf?: (href: string) => string, className?: string }} options `textOf` gives what is copied, which is only the
 * link where that is left out
 */
export function linkButton(text, { address, textOf = String, className }) {
  const id = freshId();
  const said = h('p.status', { role: 'status', hidden: true });
  const link = h('input', { type: 'text', id, readOnly: true, onfocus: () => link.select() });
  const byHand = h('div.field', { hidden: true }, h('label', { htmlFor: id }, 'Copy this link'), link);
  const say = (text) => {
    said.hidden = text === '';
    said.textContent = text;
    byHand.hidden = true;
  };
  const element = button(
    text,
    async () => {
      const href = address();
      setAddress(href);
      said.hidden = false; // before it speaks
      try {
        await navigator.clipboard.writeText(textOf(href));
        say('The link is copied.');
      } catch {
        say('');
        link.value = href;
        byHand.hidden = false;
        link.focus();
      }
    },
    className,
  );
  return {
    element,
    /** What became of it. */
    answer: h('div.link-answer', said, byHand),
    /** Once the link is no longer that of what is shown. */
    clear: () => say(''),
    say,
  };
}
