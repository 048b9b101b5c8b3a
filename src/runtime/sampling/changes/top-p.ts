import { mostLikelyLevel } from '../../distributions/levels';
import { exp } from '../../kernels/arithmetic';
import { type Change, ofEachImage } from './change';
import { keepGreatest } from './keep-greatest';

/**
 * Keeps the fewest most likely levels whose total probability reaches p < 1, of equally likely ones the lowest.
 *
 * Source: Holtzman et al., "The Curious Case of Neural Text Degeneration" (2020), https://arxiv.org/abs/1904.09751,
 * section 3.1.
 */
export function topP(levels: number, p: number): Change {
  const weights = new Float64Array(levels); // probabilities, of which the greatest is 1
  const scratch = new Float64Array(levels);
  return ofEachImage(levels, (logProbs) => {
    const max = logProbs[mostLikelyLevel(logProbs, 0, levels)] as number;
    if (max === -Infinity) return;
    let total = 0;
    for (let level = 0; level < levels; level++) {
      const weight = exp((logProbs[level] as number) - max);
      weights[level] = weight;
      total += weight;
    }
    keepGreatest(logProbs, weights, (weight) => weight, p * total, scratch);
  });
}
