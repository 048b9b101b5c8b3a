/**
 * Keeps what the address points to, `#sampling` or `#sampling?seed=3`, where it belongs although panels above it still grow.
 *
 * @returns {() => void} to call once they have grown: goes there again, unless the visitor has gone on meanwhile
 */
export function hashPlace() {
  let target = elementOf(location.hash);
  let behavior = 'instant';
  const leave = () => {
    target = null;
  };
  const follow = ({ target: clicked }) => {
    const link = clicked.closest('a[href^="#"]');
    if (link === null) return;
    target = elementOf(link.hash);
    behavior = 'auto'; // the page may be on its way there, smoothly
  };
  const listeners = Object.entries({
    wheel: leave,
    touchmove: leave,
    pointerdown: leave,
    keydown: leave,
    click: follow,
  });
  for (const [type, listener] of listeners) addEventListener(type, listener, { passive: true });
  // What follows a question mark is no part of an id: browsers do not find it.
  addEventListener('hashchange', () => {
    const element = elementOf(location.hash);
    if (location.hash.includes('?')) element?.scrollIntoView();
  });
  if (target) history.scrollRestoration = 'manual'; // a place that is kept over a reload counts from another height
  if (location.hash.includes('?')) target?.scrollIntoView({ behavior });
  return () => {
    for (const [type, listener] of listeners) removeEventListener(type, listener);
    target?.scrollIntoView({ behavior });
    history.scrollRestoration = 'auto';
  };
}

/** What is folded is unfolded. */
function elementOf(hash) {
  const element = document.getElementById(hash.slice(1).split('?', 1)[0]);
  if (element?.tagName === 'DETAILS') element.open = true;
  return element;
}
