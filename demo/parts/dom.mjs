/**
 * An element with its properties, which may be left out, and children. A property whose name has a dash, or is `role`, becomes an attribute; `on...`
 * listens.
 *
 * @param {string} tag with classes after dots: 'p.status'
 * @param {...(Record<string, unknown> | Node | string | null)} rest properties, only as the first; then children
 */
export function h(tag, ...rest) {
  const [name, ...classes] = tag.split('.');
  const element = document.createElement(name);
  if (classes.length > 0) element.className = classes.join(' ');
  const properties = rest[0]?.constructor === Object ? rest.shift() : {};
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key === 'role' || key.includes('-')) element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...rest.filter((child) => child !== null));
  return element;
}

let count = 0;

/** An id that no other element has. */
export const freshId = () => `demo-${++count}`;

/** The computed colour of one of the page's custom properties, for canvases. */
export function colour(property) {
  const probe = h('span', { hidden: true });
  probe.style.color = `var(${property})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** Gives the keyboard to a control, or where that is disabled to the first button beside it, or in what is around. */
export function focusNear(control) {
  let [found, place] = [control.disabled ? null : control, control];
  while (found === null && place !== null) {
    found = place.querySelector('button:enabled');
    place = place.parentElement;
  }
  found?.focus({ preventScroll: true });
}

/**
 * Makes a change that may disable the control in focus: then a button near it takes over. Browsers leave focus nowhere, some at once and some with the
 * next picture, and the keyboard would start over at the top of the page.
 */
export function keepFocus(change) {
  const holder = document.activeElement;
  change();
  if (holder.disabled) focusNear(holder);
}

/** Calls when the page turns light or dark. */
export function onThemeChange(callback) {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', callback);
}

/** Calls once, when the element comes near the part of the page that is seen: by default, within 300 pixels. */
export function whenNear(element, callback, rootMargin = '300px') {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      callback();
    },
    { rootMargin },
  );
  observer.observe(element);
}

/** Hands a file to the browser's downloads. */
export function download(blob, name) {
  const href = URL.createObjectURL(blob);
  h('a', { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}
