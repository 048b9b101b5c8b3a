import { type ImageShape, type Place, placeOf, valuesOf } from '../core/images';
import { inverse, TO_DRAW } from '../distributions/levels';
import { exp, log } from '../kernels/arithmetic';

/**
 * A log weight of an image so far, up to a place: the logarithm of a number that guesses how good images are that begin
 * like this, and that at the last place says how good this one is. -Infinity drops what is drawn so far.
 *
 * @param levels the levels of one image, [H*W*C], read-only; 0 for later values
 * @param place the last value that is drawn or given
 * @param imageShape [H,W,C]
 */
export type Potential = (
  levels: Int32Array,
  place: Place,
  imageShape: [height: number, width: number, channels: number],
) => number;

/** Images, some of whose values are given. */
export interface PartlyGiven {
  /** The index of the first image, for errors. */
  readonly firstImage: number;
  readonly numImages: number;
  readonly imageShape: ImageShape;
  /** The given levels, [N*H*W*C], with {@link TO_DRAW} for levels to draw; null if nothing is given. */
  readonly given: Int32Array | null;
  readonly potential?: Potential | undefined;
  /** Whether images of which no particle allows what is given get weight 0 instead of an error. */
  readonly isOneOfSeveral?: boolean;
}

/**
 * The weights of particles, which are versions of each image, weighted by how likely they make each given
 * level, and by a potential. Particle p of image n has the index p * numImages + n. All particles of an image
 * are identical until its first value is drawn, and after its last given value (with a potential, the last of
 * all) only the first one remains.
 *
 * Source: Doucet, de Freitas and Gordon, "Sequential Monte Carlo Methods in Practice" (2001), chapter 1; resampling is
 * systematic, as in Kitagawa, "Monte Carlo Filter and Smoother for Non-Gaussian Nonlinear State Space Models" (1996).
 */
export function particlesOf(perImage: number, job: PartlyGiven) {
  const { numImages, imageShape } = job;
  const spans = spansOf(job); // in which each image has several particles
  const logGiven = new Float64Array(numImages);
  const logCopies = new Float64Array(perImage * numImages);
  const logWeights = new Float64Array(perImage * numImages);
  const weights = new Float64Array(perImage);
  let from = Int32Array.from(logWeights, (_, particle) => particle); // the particle that each one is replaced by

  /**
   * Systematic resampling: a particle of weight w is kept w * perImage / sum times, rounded up or
   * down. Kept particles stay in place, and their further copies replace dropped ones.
   */
  const resample = (n: number, u: number, sum: number): void => {
    const times = new Int32Array(perImage);
    let last = perImage - 1; // the last one with weight, since u close to 1 may reach the whole sum
    while (weights[last] === 0) last--;
    let p = 0;
    let cumulative = weights[0] as number; // of the particles up to p
    for (let k = 0; k < perImage; k++) {
      const threshold = ((k + u) / perImage) * sum;
      while (cumulative <= threshold && p < last) {
        p++;
        cumulative += weights[p] as number;
      }
      times[p] = (times[p] as number) + 1;
    }
    let source = 0;
    for (let to = 0; to < perImage; to++) {
      if (times[to] !== 0) continue;
      while ((times[source] as number) < 2) source++;
      times[source] = (times[source] as number) - 1;
      from[to * numImages + n] = source * numImages + n;
    }
  };

  /** Called where no particle of an image has any weight. */
  const giveUp = (n: number, index: number): void => {
    if (!job.isOneOfSeveral) {
      const what = job.potential ? 'has a potential above -Infinity' : 'allows the level given';
      const where = `image ${job.firstImage + n} ${what} at [${placeOf(index, imageShape).join(', ')}]`;
      const isDrawn = index >= (spans[n] as Span).begin;
      const hint = isDrawn ? `; try more than ${perImage}` : ', whatever is drawn';
      throw new Error(`sample: lookAhead: no particle of ${where}${hint}`);
    }
    logGiven[n] = -Infinity;
    for (let particle = n; particle < logWeights.length; particle += numImages) logWeights[particle] = 0;
  };

  return {
    /** An estimate of log p of the given values, [images]. */
    logGiven,
    /**
     * Log of how many copies of each particle were expected, by its weight among those of its image, whenever they were
     * resampled and one was chosen, [particles of all images].
     */
    logCopies,
    /** The first value that is drawn in any image; until then each image has a single particle. */
    begin: spans.reduce((least, { begin }) => Math.min(least, begin), Infinity),
    /** The last value that weights particles, in any image; -1 for none. */
    end: spans.reduce((last, { end }) => Math.max(last, end), -1),
    /**
     * Multiplies the weights of an image's particles by numbers whose logarithms are given, [particles of all
     * images]: log p of the level given at a place, plus what a potential adds. Resamples the particles if their
     * effective number falls below half. At the end of the image's span, draws the one that remains. Before the
     * image's own first drawn value, its particles are identical and count as one.
     */
    weigh(n: number, index: number, logFactors: Float64Array, u: number): void {
      const { begin, end } = spans[n] as Span;
      if (perImage === 1 || index < begin) {
        logGiven[n] = (logGiven[n] as number) + (logFactors[n] as number);
        if (logGiven[n] === -Infinity) giveUp(n, index);
        return;
      }
      let max = -Infinity;
      for (let particle = n; particle < logWeights.length; particle += numImages) {
        const weight = (logWeights[particle] as number) + (logFactors[particle] as number);
        logWeights[particle] = weight;
        max = Math.max(max, weight);
      }
      if (max === -Infinity) {
        giveUp(n, index);
        return;
      }
      let [sum, sumOfSquares] = [0, 0];
      for (let p = 0; p < perImage; p++) {
        const weight = exp((logWeights[p * numImages + n] as number) - max);
        weights[p] = weight;
        sum += weight;
        sumOfSquares += weight * weight;
      }
      const isLast = index === end;
      if (!isLast && 2 * sum * sum >= perImage * sumOfSquares) return;
      const logMean = log(sum / perImage); // of weights whose greatest is 1
      logGiven[n] = (logGiven[n] as number) + max + logMean;
      for (let particle = n; particle < logWeights.length; particle += numImages) {
        const logWeight = (logWeights[particle] as number) - max;
        logCopies[particle] = (logCopies[particle] as number) + logWeight - logMean;
        logWeights[particle] = 0;
      }
      if (isLast) from[n] = inverse(weights, 0, perImage, u * sum) * numImages + n;
      else resample(n, u, sum);
    },
    /** Whether only the first particle of an image counts, as after its last given level. */
    isAlone: (n: number, index: number): boolean => index > (spans[n] as Span).end,
    /** Sets the weight of a particle to 0. Returns whether its image has others left. */
    drop(particle: number): boolean {
      logWeights[particle] = -Infinity;
      for (let other = particle % numImages; other < logWeights.length; other += numImages) {
        if (logWeights[other] !== -Infinity) return true;
      }
      return false;
    },
    /** Returns the particle that has replaced each one since the last call; null if none has. */
    takeMoves(): Int32Array | null {
      const moves = from;
      if (moves.every((source, particle) => source === particle)) return null;
      from = moves.map((_, particle) => particle);
      return moves;
    },
  };
}

/** The number of particles of each image: 1 unless some level is given after a drawn one. */
export const numParticlesOf = (job: PartlyGiven & { readonly lookAhead: number }): number =>
  job.lookAhead > 0 && spansOf(job).some(({ end }) => end !== -1) ? job.lookAhead : 1;

/** An image's first drawn value (Infinity for none), and the last one after it that weights particles (-1 for none). */
interface Span {
  readonly begin: number;
  readonly end: number;
}

function spansOf({ numImages, imageShape, given, potential }: PartlyGiven): Span[] {
  const total = valuesOf(imageShape);
  return Array.from({ length: numImages }, (_, n) => {
    const ofImage = given?.subarray(n * total, (n + 1) * total) ?? [TO_DRAW];
    const begin = ofImage.indexOf(TO_DRAW);
    if (begin === -1) return { begin: Infinity, end: -1 };
    if (potential !== undefined) return { begin, end: total - 1 };
    let end = ofImage.length - 1;
    while (ofImage[end] === TO_DRAW) end--;
    return { begin, end: end > begin ? end : -1 };
  });
}
