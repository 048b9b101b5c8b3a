/**
 * Leads to what the address or a link points to, `#sampling` or `#sampling?seed=3`, and stays there while panels above it grow: until the visitor
 * goes on.
 */
export function hashPlace() {
  /** @type {HTMLElement | null} */
  let target = null;
  const place = () => target?.scrollIntoView({ behavior: 'instant' });
  const follow = (hash) => {
    target = elementOf(hash);
  };
  const leave = () => {
    target = null;
    document.documentElement.style.scrollBehavior = '';
    history.scrollRestoration = 'auto';
  };
  for (const type of ['wheel', 'touchmove', 'pointerdown', 'keydown', 'focusin'])
    addEventListener(type, leave, { passive: true, capture: true });
  addEventListener('click', ({ target: clicked }) => {
    const link = clicked.closest('a[href^="#"]');
    if (link !== null) follow(link.hash);
  });
  // What follows a question mark is no part of an id: browsers do not find it.
  addEventListener('hashchange', () => {
    if (!location.hash.includes('?')) return elementOf(location.hash);
    follow(location.hash);
    target?.scrollIntoView();
  });
  follow(location.hash);
  if (target !== null) {
    document.documentElement.style.scrollBehavior = 'auto'; // or the browser would still be on its way when the panels come
    history.scrollRestoration = 'manual'; // a place that is kept over a reload counts from another height
    place();
  }
  new ResizeObserver(place).observe(document.body);
}

/** What is folded is unfolded. */
function elementOf(hash) {
  const element = document.getElementById(hash.slice(1).split('?', 1)[0]);
  if (element?.tagName === 'DETAILS') element.open = true;
  return element;
}
