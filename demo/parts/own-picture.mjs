/**
 * The one picture that the visitor takes along through the page: what was drawn, chosen or painted last in one panel is there in the others.
 *
 * @typedef {object} Picture
 * @property {import('../worker/protocol.mjs').ModelName} name of its model
 * @property {Uint8Array} levels
 * @property {number | null} number of a test image, from 1; null of any other picture
 * @property {number | null} condition its class; null where the model takes none
 */

/** Gives the picture of the panel in which it was changed last. @type {(() => Picture) | null} */
let holder = null;
let changes = 0;
/** Of the panels in sight. @type {Set<() => void>} */
const watching = new Set();

/** @param {() => Picture} picture asked for it once another panel comes into sight */
export function offerPicture(picture) {
  holder = picture;
  changes += 1;
  for (const look of watching) look();
}

/** The picture as it is now; null where no panel has offered one. */
export const ownPicture = () => holder?.() ?? null;

/**
 * From now on takes the picture over where it changes in another panel, whenever this one is in sight.
 *
 * @param {HTMLElement} root of the panel
 * @param {() => Picture} own what this panel offers
 * @param {(picture: Picture) => unknown} take false where the panel is busy
 * @returns {() => void} to be called once it no longer is
 */
export function followPicture(root, own, take) {
  let seen = changes;
  const look = () => {
    if (seen === changes || holder === own || take(holder()) !== false) seen = changes;
  };
  new IntersectionObserver(([{ isIntersecting }]) => {
    if (!isIntersecting) return watching.delete(look);
    watching.add(look);
    look();
  }).observe(root);
  return () => watching.has(look) && look();
}
