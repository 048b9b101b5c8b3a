import { indexOfPlace, type Place, valuesOf } from '../core/images';
import { TO_DRAW } from '../distributions/filters';
import type { PixelDistribution } from '../distributions/pixel-distribution';
import { type Drawn, drawingOf, leftNoLevel } from './drawing';
import type { OutputSource } from './growing-images';
import type { Job } from './options';
import { numParticlesOf, particlesOf } from './particles';

/**
 * Draws the images of a job as particles: several versions of each, from its first drawn value to
 * its last given one, which are resampled at given levels.
 */
export function lookingAhead(source: OutputSource, distribution: PixelDistribution, job: Job) {
  const { numImages, imageShape, given, withLogProb } = job;
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
  const logWeights = new Float64Array(together.count); // log p of the current levels, before temperature and filters
  let draws = alone;
  let isWeighed = false;
  return {
    images,
    levels,
    begin(index: number): number {
      if (perImage > 1 && index === particles.begin) {
        draws = together;
        drawing.use(draws);
        drawing.copy(Int32Array.from(logWeights, (_, particle) => particle % numImages));
      }
      const toDraw = drawing.begin(index);
      isWeighed = toDraw < draws.count && (withLogProb || draws.count > numImages);
      return isWeighed ? draws.count : toDraw;
    },
    read(outputs: Float32Array, place: Place): void {
      drawing.read(outputs, place, isWeighed);
      if (isWeighed) draws.logProbs(drawn, logWeights);
    },
    end(index: number, place: Place): void {
      drawing.end(index, place);
      if (isWeighed) {
        for (let n = 0; n < numImages; n++) {
          if (given?.[n * total + index] !== TO_DRAW)
            particles.weigh(n, index, logWeights, uniforms[together.count + n] as number);
        }
        const moves = particles.takeMoves();
        if (moves !== null) drawing.copy(moves);
      }
      if (draws !== alone && index === particles.end) {
        draws = alone;
        drawing.use(draws);
      }
    },
    finish: (): Drawn => ({ ...drawing.finish(), logGiven: particles.logGiven }),
  };
}
