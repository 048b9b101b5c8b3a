import { type Change, ofEachImage } from './change';
import { keepGreatest } from './keep-greatest';

/** Keeps the `k` most likely levels, of equally likely ones the lowest; k < levels. */
export function topK(levels: number, k: number): Change {
  const scratch = new Float64Array(levels);
  return ofEachImage(levels, (logProbs) => keepGreatest(logProbs, logProbs, () => 1, k, scratch));
}
