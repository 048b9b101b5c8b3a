export const NETWORKS = { plain: 'PixelCNN', gated: 'Gated PixelCNN' };

/**
 * How many weights a network of the page has: without tfjs, which would have to build it.
 *
 * @param {import('../worker/protocol.mjs').Network} network
 * @param {Pick<import('../worker/protocol.mjs').RunSettings, 'width' | 'depth' | 'levels'>} settings
 * @returns {string} with commas
 */
export function weightsOf(network, { width, depth, levels }) {
  const [first, block, blocks] =
    network === 'plain'
      ? [8 * width + 56, 13 * width + 4, depth]
      : [11 * width + 69, 29 * width + 5, depth - 1];
  return (width * (first + block * blocks) + (2 * width + 1) * levels).toLocaleString('en');
}
