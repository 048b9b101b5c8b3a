import { indexOfPlace, type Place, valuesOf } from '../core/images';
import { TO_DRAW } from '../distributions/filters';
import { outputStride, type PixelDistribution } from '../distributions/pixel-distribution';
import { type Draws, drawsFor } from './draws';
import { growingImages, type OutputSource } from './growing-images';
import { guidedSource } from './guidance';
import { customNoise, seededNoise } from './noise';
import type { Job } from './options';
import { numParticlesOf, particlesOf } from './particles';

/** The result of a job. */
export interface Drawn {
  /** Of all images, [N*H*W*C]. */
  readonly levels: Int32Array;
  /** Log p of each image, if it was asked for. */
  readonly logProb: Float64Array;
  /** With look-ahead. */
  readonly logGiven?: Float64Array;
}

/**
 * Draws the images of a job. To look ahead, particles are drawn: several versions of each image side by side, from its
 * first drawn value to its last given one, of which some replace others where a level is given. Particle i is of image
 * i % numImages.
 */
export function drawingOf(source: OutputSource, distribution: PixelDistribution, job: Job) {
  const { numImages, imageShape, given, firstImage, firstValue, withLogProb, random } = job;
  const perImage = numParticlesOf(job);
  const streams = perImage > 1 ? perImage + 1 : 1; // one to draw among the particles
  const numParticles = perImage * numImages;
  const total = valuesOf(imageShape);
  const stride = outputStride(distribution);
  const guided = job.guidance === 0 ? undefined : guidedSource(source, numParticles, stride);
  const images = growingImages(guided ?? source, imageShape, numParticles);
  const all = new Int32Array(numParticles * total); // levels so far
  const levels = all.subarray(0, numImages * total); // of the first version of each image
  const drawn = new Int32Array(numParticles); // the present levels, given or drawn; TO_DRAW until then
  const uniforms = new Float64Array(streams * numImages);
  const logProb = new Float64Array(withLogProb ? numParticles : 0); // of all levels so far
  const ofPresent = new Float64Array(logProb.length);
  const particles = job.lookAhead > 0 ? particlesOf(perImage, job) : null;
  const logWeights = new Float64Array(particles ? numParticles : 0); // log p as drawn, of the present levels
  const drawsOf = (count: number) => drawsFor(job, distribution, count, guided?.withoutClass);
  const alone = drawsOf(numImages); // for one version of each image
  const together = perImage > 1 ? drawsOf(numParticles) : alone;
  let draws = alone;
  let numToDraw = 0;
  let isWeighed = false;

  /** Draws as many images as these are for from here on. */
  const use = (next: Draws) => {
    draws = next;
    images.source.evaluateFirst(next.count);
  };

  /** Replaces image i by image from[i], which stays as it is, for all i. */
  const copy = (from: Int32Array) => {
    for (const [to, image] of from.entries()) {
      if (to === image) continue;
      all.copyWithin(to * total, image * total, (image + 1) * total);
      if (withLogProb) logProb[to] = logProb[image] as number;
    }
    images.copy(from);
  };

  /**
   * Says which level an image continues with of which `adjust` left none. Particles are dropped: they continue with
   * level 0 and weight 0.
   */
  const withoutLevel = (i: number, place: Place): number => {
    const n = i % numImages;
    const image = `image ${firstImage + n} at [${place.join(', ')}]`;
    const isAlone = particles === null || particles.isAlone(n, indexOfPlace(place, imageShape));
    if (isAlone && i === n) throw new Error(`sample: adjust: left no level of ${image}`);
    if (!isAlone && !particles.drop(i))
      throw new Error(
        `sample: adjust: left no level of any of the ${perImage} particles of ${image}; try more`,
      );
    return 0;
  };

  use(alone);
  const noise = random ? customNoise(random) : seededNoise(job.seed, firstImage, numImages, streams); // last: it takes longest
  return {
    images,
    /** Of the first version of each image so far, [N*H*W*C]. */
    levels,
    /** Begins a value. Returns whether the outputs of the model are needed. */
    begin(index: number): boolean {
      if (together !== alone && index === particles?.begin) {
        use(together);
        copy(drawn.map((_, particle) => particle % numImages));
      }
      const { count } = draws;
      noise(uniforms);
      numToDraw = 0;
      for (let i = 0; i < count; i++) {
        let level = given?.[(i % numImages) * total + index] ?? TO_DRAW;
        if (level === TO_DRAW) {
          if (firstValue === 'uniform' && index === 0)
            level = Math.floor((uniforms[i] as number) * distribution.levels);
          else numToDraw++;
        }
        drawn[i] = level;
      }
      isWeighed = particles !== null && numToDraw < count && (withLogProb || count > numImages);
      return numToDraw > 0 || isWeighed || withLogProb;
    },
    /** Draws from the outputs, and adds up the log-probabilities of the levels drawn and given. */
    read(outputs: Float32Array, place: Place): void {
      const { count, model } = draws;
      const length = count * stride;
      const present = images.present(
        outputs.length === length ? outputs : outputs.subarray(0, length), // a view takes time
        place[2],
      );
      if (numToDraw > 0 || isWeighed) draws.read(present, place, all);
      if (numToDraw > 0) {
        draws.draw(uniforms, drawn);
        for (let i = 0; i < count; i++) if (drawn[i] === TO_DRAW) drawn[i] = withoutLevel(i, place);
      }
      if (model !== null) {
        model.of(present, drawn, ofPresent);
        for (let i = 0; i < count; i++) logProb[i] = (logProb[i] as number) + (ofPresent[i] as number);
      }
      if (isWeighed) draws.logProbs(drawn, logWeights);
    },
    /** Ends a value: puts the levels of all images. */
    end(index: number, place: Place): void {
      for (let i = 0; i < draws.count; i++) all[i * total + index] = drawn[i] as number;
      images.put(place, drawn);
      if (particles === null) return;
      if (isWeighed) {
        for (let n = 0; n < numImages; n++) {
          if (given?.[n * total + index] === TO_DRAW) continue;
          particles.weigh(n, index, logWeights, uniforms[numParticles + n] as number);
        }
        const moves = particles.takeMoves();
        if (moves !== null) copy(moves);
      }
      if (draws !== alone && index === particles.end) use(alone);
    },
    finish: (): Drawn => ({
      levels,
      logProb: logProb.slice(0, numImages),
      ...(particles && { logGiven: particles.logGiven }),
    }),
  };
}
