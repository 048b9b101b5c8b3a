const NAMES = [['grey'], ['grey', 'alpha'], ['red', 'green', 'blue'], ['red', 'green', 'blue', 'alpha']];

/**
 * What the channels of an image are called, in the order in which they are drawn.
 *
 * @param {number} imageChannels 1 to 4
 * @returns {string[]}
 */
export function channelNames(imageChannels) {
  return NAMES[imageChannels - 1];
}
