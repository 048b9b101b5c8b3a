import { throwTypeError } from '../core/check';
import { indexOfPlace, type Place } from '../core/images';
import { leftNoLevel } from './changes/adjust';
import { numParticlesOf, type PartlyGiven, type Potential, particlesOf } from './particles';

/** A particle filter: says how many versions of each image there are, and which of them to replace by which. */
export interface LookAhead {
  /** The number of versions of all images at a value: one of each, or all particles. */
  count(index: number): number;
  /** Begins a value. Where particles begin, returns the version of its image that each one is a copy of; else null. */
  begin(index: number): Int32Array | null;
  /** Log p of the current levels, to be set for given ones before {@link weigh}, [particles of all images]. */
  readonly logFactors: Float64Array;
  /** Gives a particle that has no level left no weight. Throws if its image has no others. */
  drop(particle: number, place: Place): void;
  /**
   * Weighs the particles by the given levels and by the potential, once a value has been put. Returns the particle
   * that replaces each one, null if none is replaced.
   *
   * @param isGiven whether the value is given in an image
   * @param levelsOf the levels of a particle so far, [H*W*C]
   * @param uniforms one for each image, to resample with
   */
  weigh(
    index: number,
    place: Place,
    isGiven: (image: number) => boolean,
    levelsOf: (particle: number) => Int32Array,
    uniforms: Float64Array,
  ): Int32Array | null;
  /** An estimate of log p of the given values, [images]. */
  readonly logGiven: Float64Array;
  /** As of `Particles`. */
  readonly logCopies: Float64Array;
}

export function lookAheadOf(job: PartlyGiven & { readonly lookAhead: number }): LookAhead {
  const { numImages, imageShape, potential } = job;
  const perImage = numParticlesOf(job);
  const particles = particlesOf(perImage, job);
  const { logGiven, logCopies } = particles;
  const size = perImage * numImages;
  const logFactors = new Float64Array(size);
  const potentials = new Float64Array(size);
  const isTogether = (index: number) => perImage > 1 && index >= particles.begin && index <= particles.end;
  const moved = (moves: Int32Array | null): Int32Array | null => {
    for (const numbers of [potentials, logCopies])
      for (const [to, particle] of (moves ?? []).entries()) numbers[to] = numbers[particle] as number;
    return moves;
  };
  const count = (index: number) => (isTogether(index) ? size : numImages);
  /** The factors are log p of an image's given levels. This adds what the potential does. */
  const addPotential = (
    of: Potential,
    n: number,
    place: Place,
    levelsOf: (particle: number) => Int32Array,
  ): void => {
    for (let particle = n; particle < count(indexOfPlace(place, imageShape)); particle += numImages) {
      const before = potentials[particle] as number;
      if (before === -Infinity) continue; // its weight is 0 until it is replaced
      const after = of(levelsOf(particle), place, [...imageShape]);
      if (typeof after !== 'number' || !(after < Infinity))
        throwTypeError('sample: potential', 'a function that returns numbers, or -Infinity', after);
      logFactors[particle] = (logFactors[particle] as number) + after - before;
      potentials[particle] = after;
    }
  };
  return {
    count,
    begin: (index) =>
      perImage > 1 && index === particles.begin
        ? moved(Int32Array.from(potentials, (_, particle) => particle % numImages))
        : null,
    logFactors,
    drop(particle, place) {
      const n = particle % numImages;
      if (particles.isAlone(n, indexOfPlace(place, imageShape))) {
        if (particle === n) leftNoLevel(job, n, place); // the image's others do not count any more
      } else if (!particles.drop(particle)) leftNoLevel(job, n, place, perImage);
    },
    weigh(index, place, isGiven, levelsOf, uniforms) {
      for (let n = 0; n < numImages; n++) {
        if (!isGiven(n)) {
          if (potential === undefined) continue;
          for (let particle = n; particle < size; particle += numImages) logFactors[particle] = 0;
        }
        if (potential !== undefined) addPotential(potential, n, place, levelsOf);
        particles.weigh(n, index, logFactors, uniforms[n] as number);
      }
      return moved(particles.takeMoves());
    },
    logGiven,
    logCopies,
  };
}
