import type { Place } from '../../core/images';
import type { CurrentPixels } from '../../distributions/pixel-distribution';

/** The value that comes next. */
export interface NextValue {
  readonly place: Place;
  /** What the model has computed for it. */
  readonly current: CurrentPixels;
  /** Levels of all images so far, [images, H*W*C]. */
  readonly levelsSoFar: Int32Array;
}

/**
 * Changes the log-probabilities of all levels of the next value of all images in place, [images * levels]. They need not
 * stay normalized; -Infinity forbids a level. If an image has no level left, a change leaves it so.
 */
export type Change = (logProbs: Float64Array, next: NextValue) => void;

/** Makes a change of what changes one image's log-probabilities, [levels]. */
export const ofEachImage =
  (levels: number, change: (logProbs: Float64Array) => void): Change =>
  (logProbs) => {
    for (let from = 0; from < logProbs.length; from += levels) change(logProbs.subarray(from, from + levels));
  };
