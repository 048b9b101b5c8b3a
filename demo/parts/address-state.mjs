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

/**
 * Reads what an address says, name by name; what is wrong with it is left out, and said.
 *
 * @param {Map<string, string>} query
 */
export function addressReader(query) {
  const complaints = [];
  /**
   * @template T
   * @param {string} name
   * @param {string} wanted in words
   * @param {(text: string) => T | null} parse gives null for a text that is wrong
   * @returns {T | null} null where the address says nothing, or something else
   */
  function read(name, wanted, parse) {
    const text = query.get(name);
    if (text === undefined) return null;
    const value = parse(text);
    if (value === null) complaints.push(`${name} (wanted ${wanted}, got “${shown(text)}”)`);
    return value;
  }
  return {
    read,
    /** A multiple of `step`, which divides 1. */
    number: (name, { min, max, step = 1 }) =>
      read(name, `${min} to ${max}${step === 1 ? '' : `, in steps of ${step}`}`, (text) => {
        const value = /^\d{1,9}(?:\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
        const steps = value * Math.round(1 / step);
        return value >= min && value <= max && Math.abs(steps - Math.round(steps)) < 1e-6 ? value : null;
      }),
    /** One of some; `others` are taken too, and not named among what is wanted. */
    choice: (name, choices, others = []) =>
      read(name, choices.join(' or '), (text) => ([...choices, ...others].includes(text) ? text : null)),
    /** What was wrong, in words; empty where nothing was. */
    get complaint() {
      return complaints.length === 0 ? '' : `Ignored in the address: ${complaints.join('; ')}.`;
    },
  };
}

/** The longest part of an address that is shown in words. */
const MAX_SHOWN = 40;

/** What an address says, to show in words: only its beginning where it is long. */
const shown = (text) => (text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);

/** Calls when another address of the panel is opened in the same page. */
export function onAddress(id, callback) {
  addEventListener('hashchange', () => {
    const state = readAddress(id);
    if (state !== null) callback(state);
  });
}
