/**
 * Blends pixels with alpha onto white.
 *
 * @param {Uint8Array} rgba
 * @returns {Uint8Array} red, green and blue of each pixel
 */
export function onWhite(rgba) {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let i = 0; i < rgb.length; i++) {
    const pixel = Math.floor(i / 3) * 4;
    const a = rgba[pixel + 3] / 255;
    rgb[i] = Math.round(rgba[pixel + (i % 3)] * a + 255 * (1 - a));
  }
  return rgb;
}
