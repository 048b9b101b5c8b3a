import { wrong } from '../check';

/** Checks [H, W, C], null for H and W allowed, and gives C. */
export function checkImageShape(what: string, imageShape: unknown): number {
  const isSize = (size: unknown) => size === null || (Number.isSafeInteger(size) && (size as number) > 0);
  const [h, w, c, ...rest] = Array.isArray(imageShape) ? imageShape : [];
  if (!isSize(h) || !isSize(w) || !isSize(c) || c === null || rest.length > 0) {
    wrong(what, '[H, W, C], with null for a size that may vary', imageShape);
  }
  return c;
}
