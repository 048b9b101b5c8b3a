import { indexOfPlace, type Place, placeOf, valuesOf } from '../core/images';
import { memoryFor } from '../core/memory';
import { inParts, pauses } from '../core/pauses';
import { tell } from '../core/progress';
import { TO_DRAW } from '../distributions/filters';
import { type LogProbs, outputStride, type PresentPixels } from '../distributions/pixel-distribution';
import { logProbsFor, readOutputs } from '../distributions/readers';
import { type Draws, drawsFor } from './draws';
import type { Noise } from './noise';
import type { Job, SampleOptions } from './options';
import { Particles } from './particles';

/**
 * A source of the outputs for one value given all values before it, in the order rows, columns, channels: an evaluator
 * of a program, or whole passes of a tfjs model.
 */
export interface OutputSource {
  /**
   * What comes before the first value of a row, in parts, after each of which other work may be done. Otherwise it is
   * done when outputs are first wanted.
   */
  beginRow?(row: number): Iterable<void>;
  /**
   * The model's outputs for the value at this place, for every image evaluated, [images, outputStride]; the padding of
   * a row is unspecified. Valid until the next call.
   */
  outputs(row: number, column: number, channel: number): Float32Array | Promise<Float32Array>;
  /** Sets the levels drawn or given there, [images]. */
  put(row: number, column: number, channel: number, levels: ArrayLike<number>): void;
  /** From here on evaluates the first so many images only; the others stay as they are, until one is copied there. */
  evaluateFirst(numImages: number): void;
  /** Replaces image n by image from[n], for all n, [images]. */
  copy(from: Int32Array): void;
  /** Called when all images are drawn, for jobs to come. */
  release?(): void;
  /** Releases tensors, if it has any. */
  dispose?(): void;
}

/** The result of {@link drawImages}. */
interface Drawn {
  /** Of all images, [N*H*W*C]. */
  readonly levels: Int32Array;
  /** Log p of each image, if it was asked for. */
  readonly logProb: Float64Array;
  /** With look-ahead. */
  readonly logGiven?: Float64Array;
}

/** {@link memoryFor} a job; if there is not enough, the error also mentions the number of particles. */
export const memoryForJob = <T>({ numParticles }: Job, make: () => T): T =>
  memoryFor(numParticles > 1 ? `sample: lookAhead: ${numParticles} particles of each image` : 'sample', make);

/** Draws the images of a job. */
export async function drawImages(
  source: OutputSource,
  job: Job,
  { signal, onProgress }: Pick<SampleOptions, 'signal' | 'onProgress'>,
): Promise<Drawn> {
  const drawing = memoryForJob(job, () => new Drawing(source, job));
  const total = valuesOf(job.imageShape);
  const rowSize = total / job.imageShape[0];
  const pause = pauses(job.yieldMilliseconds);
  for (let index = 0; index < total; index++) {
    signal?.throwIfAborted();
    const place = placeOf(index, job.imageShape);
    const isNeeded = drawing.begin(index);
    if (index % rowSize === 0 && source.beginRow) await inParts(source.beginRow(place[0]), pause, signal);
    if (isNeeded) {
      const outputs = source.outputs(...place);
      const present = outputs instanceof Float32Array ? outputs : await outputs;
      readOutputs('sample', job.distribution, () => drawing.read(place, present));
    }
    drawing.end(index, place);
    const done = index + 1;
    if (onProgress !== undefined && done % rowSize === 0)
      await tell(onProgress, { done, total, levels: drawing.levels }, signal);
    const paused = pause();
    if (paused !== undefined) await paused;
  }
  signal?.throwIfAborted();
  source.release?.();
  return drawing.finish();
}

/** A stage with a certain number of particles for each image, and what reads the model's outputs for them. */
interface Stage {
  readonly perImage: number;
  readonly draws: Draws;
  /** Log p by the model itself; null if it was not asked for. */
  readonly model: LogProbs | null;
}

/**
 * The images of a job while they are drawn. Particles, [particles, images], are evaluated in rows: for each particle
 * all images, and with guidance all images again without a class.
 */
class Drawing {
  /** Levels of the first particle of each image, [N*H*W*C]. */
  readonly levels: Int32Array;
  /** Of all particles. */
  private readonly all: Int32Array;
  /** Of the present value, [rows]. */
  private readonly drawn: Int32Array;
  /** Of the present pixel so far, [rows, C]. */
  private readonly ofPixel: Int32Array;
  /** Of each particle. */
  private readonly logProb: Float64Array;
  /** Log p of present values by the model, [rows]. */
  private readonly scratch: Float64Array;
  /**
   * Log p of present values in the distribution that images are drawn from, [particles]. Read this before the levels
   * are put, which makes the outputs invalid.
   */
  private readonly logWeights: Float64Array;
  private readonly uniforms: Float64Array;
  private readonly particles: Particles | null;
  private readonly alone: Stage;
  private readonly together: Stage;
  private readonly noise: Noise;
  private readonly rowsEach: number;
  private readonly total: number;
  private stage: Stage;
  /** How many of the present values are drawn from the model's outputs, and whether others are weighed. */
  private toDraw = 0;
  private isWeighed = false;

  constructor(
    private readonly source: OutputSource,
    private readonly job: Job,
  ) {
    const { numImages, imageShape, numParticles, evaluated, lookAhead, withLogProb } = job;
    const [, , numChannels] = imageShape;
    this.total = valuesOf(imageShape);
    this.rowsEach = evaluated.numConditions;
    this.all = new Int32Array(numParticles * numImages * this.total);
    this.levels = this.all.subarray(0, numImages * this.total);
    this.drawn = new Int32Array(evaluated.numImages);
    this.ofPixel = new Int32Array(evaluated.numImages * numChannels);
    this.logProb = new Float64Array(withLogProb ? numParticles * numImages : 0);
    this.scratch = new Float64Array(evaluated.numImages);
    this.logWeights = new Float64Array(numParticles * numImages);
    this.particles = lookAhead > 0 ? new Particles(numParticles, job) : null;
    this.alone = this.stageOf(1);
    this.together = numParticles === 1 ? this.alone : this.stageOf(numParticles);
    this.stage = this.alone;
    if (numParticles > 1) source.evaluateFirst(this.rowsEach);
    this.uniforms = new Float64Array(numImages * (numParticles > 1 ? numParticles + 1 : 1));
    this.noise = job.startNoise(); // last: it takes longest
  }

  private stageOf(perImage: number): Stage {
    const { job, rowsEach } = this;
    const model = job.withLogProb ? logProbsFor(job.distribution, perImage * rowsEach) : null;
    return { perImage, draws: drawsFor(job, perImage), model };
  }

  /** Begins a value. Returns whether the outputs of the model are needed. */
  begin(index: number): boolean {
    const { job, particles, drawn, rowsEach, total } = this;
    const { numImages, given, levels, isFirstUniform, withLogProb } = job;
    this.noise(this.uniforms);
    if (this.together !== this.alone && index === particles?.begin) this.goOnTogether();
    this.toDraw = 0;
    for (let p = 0; p < this.stage.perImage; p++) {
      for (let n = 0; n < numImages; n++) {
        let level = given?.[n * total + index] ?? TO_DRAW;
        if (level === TO_DRAW) {
          if (isFirstUniform && index === 0)
            level = Math.floor((this.uniforms[p * numImages + n] as number) * levels);
          else this.toDraw++;
        }
        drawn[p * rowsEach + n] = level;
      }
    }
    const isGiven = this.toDraw < this.stage.perImage * numImages;
    this.isWeighed = particles !== null && isGiven && (withLogProb || this.stage.perImage > 1);
    return this.toDraw > 0 || this.isWeighed || withLogProb;
  }

  /** Draws from the outputs, and adds up the log-probabilities of the levels drawn and given. */
  read(place: Place, outputs: Float32Array): void {
    const { stage, drawn, job, logProb, scratch, rowsEach } = this;
    const { numImages } = job;
    const length = stage.perImage * rowsEach * outputStride(job.distribution);
    const present: PresentPixels = {
      outputs: outputs.length === length ? outputs : outputs.subarray(0, length), // a view takes time
      channel: place[2],
      levels: this.ofPixel,
    };
    if (this.toDraw > 0 || this.isWeighed) stage.draws.read(present, place, this.all);
    if (this.toDraw > 0) {
      stage.draws.draw(this.uniforms, drawn);
      this.loseUndrawn(place);
    }
    if (this.isWeighed) stage.draws.logProbs(drawn, this.logWeights);
    if (stage.model === null) return;
    stage.model.of(present, this.drawnInRows(), scratch);
    for (let p = 0; p < stage.perImage; p++) {
      for (let n = 0; n < numImages; n++) {
        const particle = p * numImages + n;
        logProb[particle] = (logProb[particle] as number) + (scratch[p * rowsEach + n] as number);
      }
    }
  }

  /** Particles that have no level left are lost: they continue with level 0 and weight 0. */
  private loseUndrawn(place: Place): void {
    const { stage, drawn, job, rowsEach, particles } = this;
    const { numImages, imageShape, firstImage } = job;
    const index = indexOfPlace(place, imageShape);
    for (let p = 0; p < stage.perImage; p++) {
      for (let n = 0; n < numImages; n++) {
        if (drawn[p * rowsEach + n] !== TO_DRAW) continue;
        const at = `image ${firstImage + n} at [${place.join(', ')}]`;
        if (particles === null || particles.isAlone(n, index)) {
          if (p === 0) throw new Error(`sample: adjust: left no level of ${at}`);
        } else if (!particles.lose(n, p))
          throw new Error(
            `sample: adjust: left no level of any of the ${stage.perImage} particles of ${at}; try more`,
          );
        drawn[p * rowsEach + n] = 0;
      }
    }
  }

  /** Ends a value: puts the levels of all images, and after particles were weighed, replaces some by others. */
  end(index: number, place: Place): void {
    const { source, stage, job, ofPixel, all, rowsEach, total, particles } = this;
    const { numImages, imageShape } = job;
    const [row, column, channel] = place;
    const drawn = this.drawnInRows();
    for (let r = 0; r < stage.perImage * rowsEach; r++) {
      ofPixel[r * imageShape[2] + channel] = drawn[r] as number;
    }
    for (let p = 0; p < stage.perImage; p++) {
      for (let n = 0; n < numImages; n++) {
        all[(p * numImages + n) * total + index] = drawn[p * rowsEach + n] as number;
      }
    }
    source.put(row, column, channel, drawn);
    if (particles === null) return;
    if (this.isWeighed) this.weigh(particles, index);
    if (stage.perImage > 1 && index === particles.end) this.goOnAlone();
  }

  /** The levels of all images that are evaluated: the copies without a class get the same levels. */
  private drawnInRows(): Int32Array {
    const { drawn, stage, rowsEach, job } = this;
    if (job.guidance === 0) return drawn;
    for (let start = 0; start < stage.perImage * rowsEach; start += rowsEach) {
      drawn.copyWithin(start + job.numImages, start, start + job.numImages);
    }
    return drawn;
  }

  private weigh(particles: Particles, index: number): void {
    const { logWeights, uniforms, job, total } = this;
    const { numImages, numParticles, given } = job;
    let isMoved = false;
    for (let n = 0; n < numImages; n++) {
      if (given?.[n * total + index] === TO_DRAW) continue;
      const u = uniforms[numParticles * numImages + n] as number;
      isMoved = particles.weigh(n, index, logWeights, u) || isMoved;
    }
    if (isMoved) this.move(particles.takeMoves());
  }

  /** From now on each image has all its particles, which are still identical. */
  private goOnTogether(): void {
    const { source, together, job } = this;
    this.stage = together;
    source.evaluateFirst(job.evaluated.numImages);
    this.move(Int32Array.from({ length: together.perImage * job.numImages }, (_, i) => i % job.numImages));
  }

  /** From now on each image has only its first particle. */
  private goOnAlone(): void {
    this.stage = this.alone;
    this.source.evaluateFirst(this.rowsEach);
  }

  /** Replaces particle i by from[i], which stays as it is. */
  private move(from: Int32Array): void {
    const { source, all, logProb, ofPixel, rowsEach, total, job } = this;
    const { numImages, imageShape } = job;
    const rows = Int32Array.from({ length: job.evaluated.numImages }, (_, row) => row);
    for (const [to, particle] of from.entries()) {
      if (to === particle) continue;
      all.copyWithin(to * total, particle * total, (particle + 1) * total);
      if (job.withLogProb) logProb[to] = logProb[particle] as number;
      for (let n = to % numImages; n < rowsEach; n += numImages) {
        const row = Math.floor(to / numImages) * rowsEach + n;
        const as = Math.floor(particle / numImages) * rowsEach + n;
        rows[row] = as;
        ofPixel.copyWithin(row * imageShape[2], as * imageShape[2], (as + 1) * imageShape[2]);
      }
    }
    source.copy(rows);
  }

  finish(): Drawn {
    const { particles, levels, logProb, job } = this;
    const ofImages = { levels, logProb: logProb.slice(0, job.numImages) };
    return particles === null ? ofImages : { ...ofImages, logGiven: particles.logGiven };
  }
}
