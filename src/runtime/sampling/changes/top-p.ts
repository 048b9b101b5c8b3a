import { weighLevels } from '../../distributions/levels';
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
    const total = weighLevels(logProbs, weights);
    if (total !== 0) keepGreatest(logProbs, weights, (weight) => weight, p * total, scratch);
  });
}
