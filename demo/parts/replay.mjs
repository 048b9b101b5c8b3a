/** Milliseconds between two pictures of a replay: drawing itself is far quicker. And how many there are at most. */
const SLOWLY = 45;
const STEPS = 128;

/**
 * Shows finished images grow in the order in which they were drawn: pixel by pixel, or some pixels at a time where they are many.
 *
 * @param {ReturnType<import('./pictures.mjs').gallery>} pictures
 * @param {ArrayLike<number>} values levels, one image after the other
 * @param {import('./pictures.mjs').Kind} kind
 * @param {{ signal: AbortSignal, onShown?: (share: number) => void }} options `signal` shows them whole at once; `onShown` is told how much is
 * shown, from 0 to 1
 */
export async function replay(pictures, values, kind, { signal, onShown = () => {} }) {
  const [height, width] = kind.shape;
  const stride = Math.ceil((height * width) / STEPS);
  for (let pixel = 0; pixel < height * width && !signal.aborted; pixel += stride) {
    pictures.show(values, kind, (i) => i < pixel, pixel);
    onShown(pixel / (height * width));
    await new Promise((resolve) => setTimeout(resolve, SLOWLY));
  }
  pictures.show(values, kind);
  onShown(1);
}

/** Whether the visitor has asked for less motion. */
export const isMotionReduced = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
