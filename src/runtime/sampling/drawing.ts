import { indexOfPlace, type Place, valuesOf } from '../core/images';
import { TO_DRAW } from '../distributions/filters';
import type { PixelDistribution } from '../distributions/pixel-distribution';
import { log } from '../kernels/arithmetic';
import { changesOf } from './changes';
import { changesProbabilities, type Draws, drawsFor } from './draws';
import { growingImages, type OutputSource } from './growing-images';
import type { SampledImages } from './image-model';
import { customNoise, seededNoise } from './noise';
import type { Job } from './options';

/**
 * Draws the images of a job. Several versions of each may be drawn side by side: image i is then a
 * version of the job's image i % numImages.
 *
 * @param streams how many uniforms each image of the job needs for each value
 * @param withoutLevel returns the level with which an image continues if `adjust` left none
 */
export function drawingOf(
  source: OutputSource,
  distribution: PixelDistribution,
  job: Job,
  versions = 1,
  streams = versions,
  withoutLevel = (image: number, place: Place): number => leftNoLevel(job, image, place),
) {
  const { numImages, given, firstValue, firstImage, withLogProb, scored, random } = job;
  const count = versions * numImages;
  const total = valuesOf(job.imageShape);
  const isChangedFirst = job.guidance !== 0 || job.adjust !== undefined; // before temperature and filters
  const changes = isChangedFirst ? changesOf(job, source, distribution, count) : undefined;
  const images = growingImages(changes?.source ?? source, job.imageShape, count);
  const all = new Int32Array(count * total); // levels of all versions so far
  const levels = all.subarray(0, numImages * total);
  const drawn = new Int32Array(count);
  const isChanged = changesProbabilities(job, distribution);
  const logProb = new Float64Array(withLogProb ? count : 0); // so far
  const logDrawn = isChanged || given ? logProb.slice() : logProb;
  const ofCurrent = new Float64Array(logProb.length); // of the current level
  const asDrawn = new Float64Array(logProb.length);
  const drawsOf = (count: number) => drawsFor(job, distribution, count, changes);
  const alone = drawsOf(numImages);
  let draws = alone; // for the images that are being drawn, the first ones
  images.source.evaluateFirst(numImages);
  const uniforms = new Float64Array(streams * numImages);
  // Made last, since it takes longest.
  const noise = random ? customNoise(random) : seededNoise(job.seed, firstImage, numImages, streams);
  let toDraw = 0; // how many of the current levels must be drawn
  const givenAt = (i: number, index: number) => given?.[(i % numImages) * total + index] ?? TO_DRAW;
  const isUniform = (index: number) => firstValue === 'uniform' && index === 0;

  return {
    images,
    /** Levels of the first version of each image so far, [N*H*W*C]. */
    levels,
    /** Levels of one version of an image so far, [H*W*C]. */
    levelsOf: (i: number) => all.subarray(i * total, (i + 1) * total),
    /** The current level of each image, given or drawn; {@link TO_DRAW} until then. */
    drawn,
    /** The uniforms for the current value. */
    uniforms,
    /** The draws for one version of each image. */
    alone,
    drawsOf,
    /** From here on, draws with `others`, for as many images as these are for. */
    use(others: Draws): void {
      images.source.evaluateFirst(others.count);
      draws = others;
    },
    /** Begins a value. Returns how many levels must be drawn, or weighted, from the outputs. */
    begin(index: number): number {
      noise(uniforms);
      toDraw = 0;
      for (let i = 0; i < draws.count; i++) {
        let level = scored?.[i * total + index] ?? givenAt(i, index);
        if (level === TO_DRAW) {
          if (isUniform(index)) level = Math.floor((uniforms[i] as number) * distribution.levels);
          else toDraw++;
        }
        drawn[i] = level;
      }
      return toDraw;
    },
    /** Draws from the outputs, and adds up the log-probabilities of the levels drawn and given. */
    read(outputs: Float32Array, place: Place, isWeighed = false): void {
      const { count, model } = draws;
      const current = images.current(outputs, place[2]);
      if (toDraw > 0 || isWeighed || scored) draws.read(current, place, all);
      if (toDraw > 0) {
        draws.draw(uniforms, drawn);
        for (let i = 0; i < count; i++) if (drawn[i] === TO_DRAW) drawn[i] = withoutLevel(i, place);
      }
      if (model === null) return;
      model.of(current, drawn, ofCurrent);
      for (let i = 0; i < count; i++) logProb[i] = (logProb[i] as number) + (ofCurrent[i] as number);
      if (logDrawn === logProb) return;
      if (isChanged && (toDraw > 0 || scored)) draws.logDrawn(drawn, asDrawn);
      const index = indexOfPlace(place, job.imageShape);
      for (let i = 0; i < count; i++) {
        if (givenAt(i, index) !== TO_DRAW) continue;
        let nats = (isChanged ? asDrawn : ofCurrent)[i] as number;
        if (isUniform(index)) nats = -log(distribution.levels);
        logDrawn[i] = (logDrawn[i] as number) + nats;
      }
    },
    /** Ends a value: puts the levels of all images. */
    end(index: number, place: Place): void {
      for (let i = 0; i < draws.count; i++) all[i * total + index] = drawn[i] as number;
      images.put(place, drawn);
    },
    /** Replaces image i by image from[i], which is not replaced itself, for all i, [images]. */
    copy(from: Int32Array): void {
      for (const [to, image] of from.entries()) {
        if (to === image) continue;
        all.copyWithin(to * total, image * total, (image + 1) * total);
        for (const sums of [logProb, logDrawn]) if (withLogProb) sums[to] = sums[image] as number;
      }
      images.copy(from);
    },
    finish: (): SampledImages => ({
      levels,
      logProb: logProb.slice(0, numImages),
      logDrawn: logDrawn.slice(0, numImages),
    }),
  };
}

/** Throws because `adjust` left no level of an image, or of any of its particles. */
export function leftNoLevel(
  { numImages, firstImage }: Job,
  image: number,
  place: Place,
  particles = 1,
): never {
  const name = `image ${firstImage + (image % numImages)} at [${place.join(', ')}]`;
  const all = particles > 1 ? `any of the ${particles} particles of ${name}; try more` : name;
  throw new Error(`sample: adjust: left no level of ${all}`);
}
