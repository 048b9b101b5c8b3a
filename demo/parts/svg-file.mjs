import { h } from './dom.mjs';

/** The longer side of a drawing that is read, in points: more than any model's images have, even averaged. */
const SIDE = 1024;
/** Of a drawing that says nothing of its size, as CSS has it. */
const UNSIZED = [300, 150];

/** @param {File} file */
export const isSvg = ({ name, type }) => type === 'image/svg+xml' || /\.svg$/i.test(name);

/**
 * An SVG drawing as an image, at a size of our own: browsers draw one that has no width and height at none, or not at all.
 *
 * @param {File} file
 * @returns {Promise<HTMLImageElement>} browsers run no scripts in it, and load nothing for it
 */
export async function readSvg(file) {
  const drawing = new DOMParser().parseFromString(await file.text(), 'image/svg+xml');
  const root = drawing.documentElement;
  if (root.localName !== 'svg') throw new Error('not SVG');
  const [width, height] = sizeOf(root);
  if (!root.hasAttribute('viewBox')) root.setAttribute('viewBox', `0 0 ${width} ${height}`);
  const scale = SIDE / Math.max(width, height);
  root.setAttribute('width', String(width * scale));
  root.setAttribute('height', String(height * scale));
  const text = new XMLSerializer().serializeToString(drawing);
  const href = URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }));
  try {
    const image = h('img', { src: href });
    await image.decode();
    return image;
  } finally {
    URL.revokeObjectURL(href);
  }
}

/** Its width and height, or those of its viewBox. */
function sizeOf(root) {
  const own = ['width', 'height'].map((name) => root.getAttribute(name) ?? '');
  const sides = own.map((text) => (text.endsWith('%') ? Number.NaN : Number.parseFloat(text)));
  const box = (root.getAttribute('viewBox') ?? '').split(/[\s,]+/).map(Number);
  return [sides, box.slice(2), UNSIZED].find(
    (size) => size.length === 2 && size.every((side) => side > 0 && side < Number.POSITIVE_INFINITY),
  );
}
