/**
 * What the address says beside a panel's name, `#sampling?model=clothes&seed=3`, so that a link leads to a picture.
 *
 * @param {string} id of the panel
 * @returns {Map<string, string> | null} null where the address leads elsewhere, or says no more than the name
 */
export function readAddress(id) {
  const [name, query] = location.hash.slice(1).split('?', 2);
  return name === id && query ? new Map(new URLSearchParams(query)) : null;
}

/**
 * The address of a state of a panel.
 *
 * @param {string} id
 * @param {Record<string, string | number>} state
 */
export function addressOf(id, state) {
  const { origin, pathname, search } = location;
  return `${origin}${pathname}${search}#${id}?${new URLSearchParams(state)}`;
}

/** Makes it the address of the page, without a step for the Back button. */
export function setAddress(address) {
  try {
    history.replaceState(history.state, '', address);
  } catch {
    // Safari takes 100 in 30 seconds, and then throws: the page goes on with the address as it is.
  }
}

/** The longest part of an address that is shown in words. */
const MOST_SHOWN = 40;

/** What an address says, to show in words: only its beginning where it is long. */
export const shown = (text) => (text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text);

/** Calls when another address of the panel is opened in the same page. */
export function onAddress(id, callback) {
  addEventListener('hashchange', () => {
    const state = readAddress(id);
    if (state !== null) callback(state);
  });
}
