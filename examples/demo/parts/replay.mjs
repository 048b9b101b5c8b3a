/** Milliseconds a pixel is shown before the next: drawing itself is far quicker. */
const SLOWLY = 45;

/**
 * Shows finished images grow pixel by pixel, in the order in which they were drawn.
 *
 * @param {ReturnType<import('./pictures.mjs').gallery>} pictures
 * @param {ArrayLike<number>} values levels, one image after the other
 * @param {import('./pictures.mjs').Kind} kind
 * @param {AbortSignal} signal shows them whole at once
 */
export async function replay(pictures, values, kind, signal) {
  const [height, width, channels] = kind.shape;
  for (let pixel = 0; pixel < height * width && !signal.aborted; pixel++) {
    pictures.show(values, kind, (value) => value < pixel * channels, pixel);
    await new Promise((resolve) => setTimeout(resolve, SLOWLY));
  }
  pictures.show(values, kind);
}

/** Whether the visitor has asked for less motion. */
export const isMotionReduced = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
