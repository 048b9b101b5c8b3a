import { throwTypeError } from '../core/check';
import { indexOfPlace, type Place, valuesOf } from '../core/images';
import { TO_DRAW } from '../distributions/filters';
import type { PixelDistribution } from '../distributions/pixel-distribution';
import { drawingOf, leftNoLevel } from './drawing';
import type { OutputSource } from './growing-images';
import type { SampledImages } from './image-model';
import type { Job } from './options';
import { numParticlesOf, type Potential, particlesOf } from './particles';

/**
 * Draws the images of a job as particles: several versions of each, from its first drawn value to its last given
 * one, which are resampled at given levels; with a potential, to the last value of all, at any.
 */
export function lookingAhead(source: OutputSource, distribution: PixelDistribution, job: Job) {
  const { numImages, imageShape, given, potential } = job;
  const total = valuesOf(imageShape);
  const perImage = numParticlesOf(job);
  const particles = particlesOf(perImage, job);
  /** Drops particles without a level left: they continue with level 0 and weight 0. */
  const withoutLevel = (particle: number, place: Place): number => {
    const n = particle % numImages;
    if (particles.isAlone(n, indexOfPlace(place, imageShape))) {
      if (particle === n) leftNoLevel(job, n, place);
    } else if (!particles.drop(particle)) leftNoLevel(job, n, place, perImage);
    return 0;
  };
  const streams = perImage > 1 ? perImage + 1 : 1; // one more to resample with
  const drawing = drawingOf(source, distribution, job, perImage, streams, withoutLevel);
  const { images, levels, drawn, uniforms, alone } = drawing;
  const together = perImage > 1 ? drawing.drawsOf(perImage * numImages) : alone; // for all particles
  const logFactors = new Float64Array(together.count); // by which the current value multiplies weights
  const potentials = new Float64Array(together.count);
  let draws = alone;
  let isWeighed = false;
  const move = (from: Int32Array) => {
    drawing.copy(from);
    for (const numbers of [potentials, particles.logCopies])
      for (const [to, particle] of from.entries()) numbers[to] = numbers[particle] as number;
  };
  /** The factors are log p of an image's given levels, before temperature and filters. This adds the potential's. */
  const addPotential = (potential: Potential, n: number, place: Place): void => {
    for (let particle = n; particle < draws.count; particle += numImages) {
      const before = potentials[particle] as number;
      if (before === -Infinity) continue; // its weight is 0 until it is replaced
      const after = potential(drawing.levelsOf(particle), place, [...imageShape]);
      if (typeof after !== 'number' || !(after < Infinity))
        throwTypeError('sample: potential', 'a function that returns numbers, or -Infinity', after);
      logFactors[particle] = (logFactors[particle] as number) + after - before;
      potentials[particle] = after;
    }
  };
  return {
    images,
    levels,
    begin(index: number): number {
      if (perImage > 1 && index === particles.begin) {
        draws = together;
        drawing.use(draws);
        move(Int32Array.from(potentials, (_, particle) => particle % numImages));
      }
      const toDraw = drawing.begin(index);
      isWeighed = toDraw < draws.count;
      return isWeighed ? draws.count : toDraw;
    },
    read(outputs: Float32Array, place: Place): void {
      drawing.read(outputs, place, isWeighed);
      if (isWeighed) draws.logProbs(drawn, logFactors);
    },
    end(index: number, place: Place): void {
      drawing.end(index, place);
      for (let n = 0; n < numImages; n++) {
        const isGiven = isWeighed && (given?.[n * total + index] ?? TO_DRAW) !== TO_DRAW;
        if (!isGiven && potential === undefined) continue;
        for (let p = n; p < draws.count; p += numImages) if (!isGiven) logFactors[p] = 0;
        if (potential !== undefined) addPotential(potential, n, place);
        particles.weigh(n, index, logFactors, uniforms[together.count + n] as number);
      }
      const moves = particles.takeMoves();
      if (moves !== null) move(moves);
      if (draws !== alone && index === particles.end) {
        draws = alone;
        drawing.use(draws);
      }
    },
    finish(): SampledImages {
      const { logDrawn, ...drawn } = drawing.finish();
      const { logGiven, logCopies } = particles;
      return { ...drawn, logDrawn: logDrawn.map((nats, n) => nats + (logCopies[n] as number)), logGiven };
    },
  };
}
