/**
 * Drawings also a little shifted, and mirrored where asked for, so that even a few are something to learn from.
 *
 * @param {string[]} drawings square, a 1 for each pixel of ink and a 0 for each of paper
 * @param {number} side
 * @param {boolean} isMirrored
 * @returns {Uint8Array} all images, one after the other
 */
export function shifted(drawings, side, isMirrored) {
  const reach = side / 8;
  const shifts = Array.from({ length: 2 * reach + 1 }, (_, i) => i - reach);
  const images = drawings.flatMap((drawing) =>
    shifts.flatMap((down) =>
      shifts.flatMap((across) =>
        (isMirrored ? [false, true] : [false]).flatMap((isTurned) =>
          Array.from(drawing, (_, pixel) => {
            const row = Math.floor(pixel / side) - down;
            const column = (pixel % side) - across;
            const isInside = row >= 0 && row < side && column >= 0 && column < side;
            return isInside ? drawing[row * side + (isTurned ? side - 1 - column : column)] : 0;
          }),
        ),
      ),
    ),
  );
  return Uint8Array.from(images);
}
