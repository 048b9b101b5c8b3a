import { indexOfPlace, type Place } from '../core/images';
import { TO_DRAW } from '../distributions/filters';
import type { PixelDistribution } from '../distributions/pixel-distribution';
import { Drawing, type Drawn } from './drawing';
import type { Draws } from './draws';
import type { OutputSource } from './growing-images';
import type { Job } from './options';
import { numParticlesOf, particlesOf } from './particles';

/**
 * Draws the images of a job as particles: several versions of each, from its first drawn value to its last given one,
 * of which some replace others where a level is given.
 */
export class LookAhead extends Drawing {
  private readonly particles: ReturnType<typeof particlesOf>;
  /** For all particles of each image. */
  private readonly together: Draws;
  /** Log p of the present levels in the distribution that images are drawn from, [particles]. */
  private readonly logWeights: Float64Array;
  private isWeighed = false;

  constructor(source: OutputSource, distribution: PixelDistribution, job: Job) {
    const numParticles = numParticlesOf(job);
    super(source, distribution, job, numParticles, numParticles > 1 ? numParticles + 1 : 1); // one to draw among them
    const count = numParticles * job.numImages;
    this.particles = particlesOf(numParticles, job);
    this.together = numParticles > 1 ? this.drawsFor(count) : this.alone;
    this.logWeights = new Float64Array(count);
  }

  override begin(index: number): boolean {
    const { alone, together, particles, job } = this;
    if (together !== alone && index === particles.begin) {
      this.use(together);
      this.copy(Int32Array.from({ length: together.count }, (_, particle) => particle % job.numImages));
    }
    const isNeeded = super.begin(index);
    const { count } = this.draws;
    this.isWeighed = this.toDraw < count && (job.withLogProb || count > job.numImages);
    this.isRead ||= this.isWeighed;
    return isNeeded || this.isWeighed;
  }

  override read(outputs: Float32Array, place: Place): void {
    super.read(outputs, place);
    if (this.isWeighed) this.draws.logProbs(this.drawn, this.logWeights);
  }

  /** Particles that have no level left are dropped: they continue with level 0 and weight 0. */
  protected override withoutLevel(particle: number, place: Place): number {
    const { together, particles, job } = this;
    const n = particle % job.numImages;
    if (particles.isAlone(n, indexOfPlace(place, job.imageShape))) {
      if (particle === n) return super.withoutLevel(n, place);
    } else if (!particles.drop(particle)) {
      const all = `any of the ${together.count / job.numImages} particles of ${this.nameOf(n, place)}`;
      throw new Error(`sample: adjust: left no level of ${all}; try more`);
    }
    return 0;
  }

  override end(index: number, place: Place): void {
    super.end(index, place);
    const { together, particles, logWeights, uniforms, alone, total } = this;
    const { numImages, given } = this.job;
    if (this.isWeighed) {
      for (let n = 0; n < numImages; n++) {
        if (given?.[n * total + index] === TO_DRAW) continue;
        const u = uniforms[together.count + n] as number;
        particles.weigh(n, index, logWeights, u);
      }
      const moves = particles.takeMoves();
      if (moves !== null) this.copy(moves);
    }
    if (this.draws !== alone && index === particles.end) this.use(alone);
  }

  override finish(): Drawn {
    return { ...super.finish(), logGiven: this.particles.logGiven };
  }
}
