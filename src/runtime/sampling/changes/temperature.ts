import { mostLikelyLevel } from '../../distributions/levels';
import { type Change, ofEachImage } from './change';

/** Divides log p by a temperature; at 0, leaves only the most likely level, the lowest on a tie. */
export const temperature = (levels: number, degrees: number): Change =>
  ofEachImage(levels, (logProbs) => {
    const best = mostLikelyLevel(logProbs);
    const max = logProbs[best] as number;
    if (max === -Infinity) return;
    const scale = 1 / degrees;
    if (scale === Infinity) logProbs.fill(-Infinity).fill(0, best, best + 1);
    else
      for (let level = 0; level < levels; level++)
        logProbs[level] = ((logProbs[level] as number) - max) * scale;
  });
