import { type Place, valuesOf } from '../core/images';
import { TO_DRAW } from '../distributions/filters';
import { outputStride, type PixelDistribution } from '../distributions/pixel-distribution';
import { type Draws, drawsFor } from './draws';
import { growingImages, type OutputSource } from './growing-images';
import { guidedSource } from './guidance';
import { customNoise, type Noise, seededNoise } from './noise';
import type { Job } from './options';

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
 * Draws the images of a job. Several versions of each may be drawn side by side: image i is then one of image i %
 * numImages of the job.
 */
export class Drawing {
  readonly images: ReturnType<typeof growingImages<OutputSource>>;
  /** Levels of the first version of each image so far, [N*H*W*C]. */
  readonly levels: Int32Array;
  /** Of all versions. */
  private readonly all: Int32Array;
  /** The present level of each image, given or drawn; {@link TO_DRAW} until then. */
  protected readonly drawn: Int32Array;
  protected readonly uniforms: Float64Array;
  /** For one version of each image. */
  protected readonly alone: Draws;
  /** For the images that are drawn at present: the first so many. */
  protected draws: Draws;
  /** How many of the present levels are drawn, and whether any is drawn or weighed. */
  protected toDraw = 0;
  protected isRead = false;
  /** H*W*C. */
  protected readonly total: number;
  private readonly withoutClass: Float32Array | undefined;
  /** Log p of each image so far, and of its present level. */
  private readonly logProb: Float64Array;
  private readonly ofPresent: Float64Array;
  private readonly noise: Noise;

  /** @param streams how many uniforms each image of the job needs at each value */
  constructor(
    source: OutputSource,
    private readonly distribution: PixelDistribution,
    protected readonly job: Job,
    versions = 1,
    streams = versions,
  ) {
    const { numImages, imageShape, withLogProb, guidance, random, seed, firstImage } = job;
    const count = versions * numImages;
    this.total = valuesOf(imageShape);
    const guided = guidance === 0 ? undefined : guidedSource(source, count, outputStride(distribution));
    this.withoutClass = guided?.withoutClass;
    this.images = growingImages(guided ?? source, imageShape, count);
    this.all = new Int32Array(count * this.total);
    this.levels = this.all.subarray(0, numImages * this.total);
    this.drawn = new Int32Array(count);
    this.logProb = new Float64Array(withLogProb ? count : 0);
    this.ofPresent = new Float64Array(this.logProb.length);
    this.alone = this.drawsFor(numImages);
    this.draws = this.use(this.alone);
    this.uniforms = new Float64Array(streams * numImages);
    this.noise = random ? customNoise(random) : seededNoise(seed, firstImage, numImages, streams); // last: it takes longest
  }

  protected drawsFor(count: number): Draws {
    return drawsFor(this.job, this.distribution, count, this.withoutClass);
  }

  /** Draws as many images as these are for from here on. */
  protected use(draws: Draws): Draws {
    this.images.source.evaluateFirst(draws.count);
    this.draws = draws;
    return draws;
  }

  /** Begins a value. Returns whether the outputs of the model are needed. */
  begin(index: number): boolean {
    const { total, uniforms, drawn, draws } = this;
    const { numImages, given, firstValue, withLogProb } = this.job;
    this.noise(uniforms);
    this.toDraw = 0;
    for (let i = 0; i < draws.count; i++) {
      let level = given?.[(i % numImages) * total + index] ?? TO_DRAW;
      if (level === TO_DRAW) {
        if (firstValue === 'uniform' && index === 0)
          level = Math.floor((uniforms[i] as number) * this.distribution.levels);
        else this.toDraw++;
      }
      drawn[i] = level;
    }
    this.isRead = this.toDraw > 0;
    return this.isRead || withLogProb;
  }

  /** Draws from the outputs, and adds up the log-probabilities of the levels drawn and given. */
  read(outputs: Float32Array, place: Place): void {
    const { images, draws, drawn, logProb, ofPresent } = this;
    const { count, model } = draws;
    const present = images.present(outputs, place[2]);
    if (this.isRead) draws.read(present, place, this.all);
    if (this.toDraw > 0) {
      draws.draw(this.uniforms, drawn);
      for (let i = 0; i < count; i++) if (drawn[i] === TO_DRAW) drawn[i] = this.withoutLevel(i, place);
    }
    if (model === null) return;
    model.of(present, drawn, ofPresent);
    for (let i = 0; i < count; i++) logProb[i] = (logProb[i] as number) + (ofPresent[i] as number);
  }

  /** Says which level an image continues with of which `adjust` left none. */
  protected withoutLevel(image: number, place: Place): number {
    throw new Error(`sample: adjust: left no level of ${this.nameOf(image, place)}`);
  }

  protected nameOf(image: number, place: Place): string {
    const { numImages, firstImage } = this.job;
    return `image ${firstImage + (image % numImages)} at [${place.join(', ')}]`;
  }

  /** Ends a value: puts the levels of all images. */
  end(index: number, place: Place): void {
    const { all, drawn, total } = this;
    for (let i = 0; i < this.draws.count; i++) all[i * total + index] = drawn[i] as number;
    this.images.put(place, drawn);
  }

  /** Replaces image i by image from[i], which stays as it is, for all i, [images]. */
  protected copy(from: Int32Array): void {
    const { all, logProb, total } = this;
    for (const [to, image] of from.entries()) {
      if (to === image) continue;
      all.copyWithin(to * total, image * total, (image + 1) * total);
      if (this.job.withLogProb) logProb[to] = logProb[image] as number;
    }
    this.images.copy(from);
  }

  finish(): Drawn {
    return { levels: this.levels, logProb: this.logProb.slice(0, this.job.numImages) };
  }
}
