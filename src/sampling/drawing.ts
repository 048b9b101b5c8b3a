import { type Place, valuesOf } from '../core/images';
import { TO_DRAW } from '../distributions/filters';
import { outputStride, type PixelDistribution } from '../distributions/pixel-distribution';
import { type LogProbs, logProbsFor } from '../distributions/readers';
import { type Draws, drawsFor } from './draws';
import { GrowingImages, type OutputSource } from './growing-images';
import { customNoise, type Noise, seededNoise } from './noise';
import { type Job, rowsPerImage } from './options';

/** The result of a job. */
export interface Drawn {
  /** Of all images, [N*H*W*C]. */
  readonly levels: Int32Array;
  /** Log p of each image, if it was asked for. */
  readonly logProb: Float64Array;
  /** With look-ahead. */
  readonly logGiven?: Float64Array;
}

/** Reads the model's outputs for a number of images. */
export interface Readers {
  readonly count: number;
  readonly draws: Draws;
  /** Log p by the model itself; null if it was not asked for. */
  readonly model: LogProbs | null;
}

/**
 * Draws the images of a job. Several versions of each may be drawn side by side: image i is then one of image i %
 * numImages of the job.
 */
export class Drawing {
  /** Levels of all images so far, [images, H*W*C]. */
  readonly levels: Int32Array;
  readonly images: GrowingImages;
  /** Log p of each image so far. */
  protected readonly logProb: Float64Array;
  /** The present level of each image, given or drawn; {@link TO_DRAW} until then. */
  protected readonly drawn: Int32Array;
  protected readonly uniforms: Float64Array;
  /** For one version of each image. */
  protected readonly alone: Readers;
  /** For the images that are drawn at present: the first so many. */
  protected readers: Readers;
  /** How many of the present levels are drawn, and whether any is drawn or weighed. */
  protected toDraw = 0;
  protected isRead = false;
  /** With guidance, levels and log p of present values row by row. */
  private readonly drawnInRows: Int32Array;
  private readonly logProbInRows: Float64Array;
  private readonly noise: Noise;
  private readonly rows: number;
  protected readonly total: number;

  /** @param streams how many uniforms each image of the job needs at each value */
  constructor(
    source: OutputSource,
    private readonly distribution: PixelDistribution,
    protected readonly job: Job,
    versions = 1,
    streams = versions,
  ) {
    const { numImages, imageShape, withLogProb, random, seed, firstImage } = job;
    const count = versions * numImages;
    this.total = valuesOf(imageShape);
    this.rows = rowsPerImage(job);
    this.images = new GrowingImages(source, imageShape, count * this.rows);
    this.levels = new Int32Array(count * this.total);
    this.drawn = new Int32Array(count);
    this.drawnInRows = this.rows === 1 ? this.drawn : new Int32Array(count * this.rows);
    this.logProb = new Float64Array(withLogProb ? count : 0);
    this.logProbInRows = new Float64Array(withLogProb ? count * this.rows : 0);
    this.alone = this.readersFor(numImages);
    this.readers = this.use(this.alone);
    this.uniforms = new Float64Array(streams * numImages);
    this.noise = random ? customNoise(random) : seededNoise(seed, firstImage, numImages, streams); // last: it takes longest
  }

  protected readersFor(count: number): Readers {
    const { job, distribution, rows } = this;
    const model = job.withLogProb ? logProbsFor(distribution, count * rows) : null;
    return { count, draws: drawsFor(job, distribution, count), model };
  }

  /** Draws as many images as these readers are for from here on. */
  protected use(readers: Readers): Readers {
    this.images.source.evaluateFirst(readers.count * this.rows);
    this.readers = readers;
    return readers;
  }

  /** Begins a value. Returns whether the outputs of the model are needed. */
  begin(index: number): boolean {
    const { total, uniforms, drawn, readers } = this;
    const { numImages, given, firstValue, withLogProb } = this.job;
    this.noise(uniforms);
    this.toDraw = 0;
    for (let i = 0; i < readers.count; i++) {
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
    const { images, drawn, logProb, logProbInRows, rows, distribution } = this;
    const { count, draws, model } = this.readers;
    const length = count * rows * outputStride(distribution);
    const present = images.present(
      outputs.length === length ? outputs : outputs.subarray(0, length), // a view takes time
      place[2],
    );
    if (this.isRead) draws.read(present, place, this.levels);
    if (this.toDraw > 0) {
      draws.draw(this.uniforms, drawn);
      for (let i = 0; i < count; i++) if (drawn[i] === TO_DRAW) drawn[i] = this.withoutLevel(i, place);
    }
    if (model === null) return;
    model.of(present, this.levelsInRows(), logProbInRows);
    for (let i = 0; i < count; i++) logProb[i] = (logProb[i] as number) + (logProbInRows[i * rows] as number);
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
    const { levels, drawn, total } = this;
    for (let i = 0; i < this.readers.count; i++) levels[i * total + index] = drawn[i] as number;
    this.images.put(place, this.levelsInRows());
  }

  private levelsInRows(): Int32Array {
    const { drawn, drawnInRows, rows, readers } = this;
    if (rows > 1)
      for (let row = 0; row < readers.count * rows; row++)
        drawnInRows[row] = drawn[Math.floor(row / rows)] as number;
    return drawnInRows;
  }

  /** Replaces image i by image from[i], which stays as it is, for all i, [images]. */
  protected copy(from: Int32Array): void {
    const { levels, logProb, images, total, rows } = this;
    for (const [to, image] of from.entries()) {
      if (to === image) continue;
      levels.copyWithin(to * total, image * total, (image + 1) * total);
      if (this.job.withLogProb) logProb[to] = logProb[image] as number;
    }
    const rowsFrom = Int32Array.from(
      { length: from.length * rows },
      (_, row) => (from[Math.floor(row / rows)] as number) * rows + (row % rows),
    );
    images.copy(rowsFrom);
  }

  finish(): Drawn {
    const { levels, logProb, job, total } = this;
    return { levels: levels.subarray(0, job.numImages * total), logProb: logProb.slice(0, job.numImages) };
  }
}
