import { indexOfPlace, levelsArray, memoryFor, type Place, valuesOf } from '../core/images';
import { TO_DRAW } from '../distributions/levels';
import type { PixelDistribution } from '../distributions/pixel-distribution';
import { logProbsFor, readOutputs } from '../distributions/readers';
import { log } from '../kernels/arithmetic';
import { changesOf } from './changes';
import { leftNoLevel } from './changes/adjust';
import { growingImages, type OutputSource } from './growing-images';
import type { SampledImages } from './image-model';
import { levelSampler } from './level-sampler';
import { type LookAhead, lookAheadOf } from './look-ahead';
import { noiseOf } from './noise';
import type { Job } from './options';
import { numParticlesOf } from './particles';

/**
 * The images of a job while they are drawn: one version of each, or with look-ahead as many as it has particles, side by
 * side. Version v of image n has the index v * numImages + n.
 */
export function versionsOf(source: OutputSource, distribution: PixelDistribution, job: Job) {
  const { numImages, given, scored, imageShape, withLogProb, firstValue } = job;
  const total = valuesOf(imageShape);
  const perImage = numParticlesOf(job);
  const size = perImage * numImages;
  const { changes, source: changed } = changesOf(job, source, distribution, size);
  const images = growingImages(changed, imageShape, size);
  const sampler = levelSampler(distribution, job, changes, size);
  const model = withLogProb ? logProbsFor(distribution, size) : undefined;
  const isChanged = changes.steering.length + changes.selection.length > 0;
  const lookAhead = job.lookAhead > 0 ? lookAheadOf(job) : undefined;
  const all = new Int32Array(size * total); // levels of all versions so far
  const current = new Int32Array(size); // levels of the current value of all versions, TO_DRAW until they are drawn
  const sums = { logProb: new Float64Array(size), logDrawn: new Float64Array(size) };
  const [ofModel, asDrawn] = [new Float64Array(size), new Float64Array(size)]; // log p of the current levels
  const streams = [''];
  for (let k = 1; perImage > 1 && k <= perImage; k++) streams.push(`/${k}`); // the last to resample with
  const uniforms = new Float64Array(streams.length * numImages);
  // Made last, since it takes longest.
  const noise = noiseOf(job, streams);
  let count = 0; // of the versions that are drawn
  let drawn = current.subarray(0, 0); // their current levels
  let toDraw = 0; // how many of them have no level yet

  const givenAt = (i: number, index: number) => given?.[(i % numImages) * total + index] ?? TO_DRAW;
  const isUniform = (index: number) => firstValue === 'uniform' && index === 0;
  const levelsOf = (i: number) => all.subarray(i * total, (i + 1) * total);

  const replace = (from: Int32Array): void => {
    for (const [to, i] of from.entries()) {
      if (to === i) continue;
      all.copyWithin(to * total, i * total, (i + 1) * total);
      for (const sum of Object.values(sums)) sum[to] = sum[i] as number;
    }
    images.copy(from);
  };

  /** Begins a value: sets the levels that are given. Returns whether the model's outputs are needed. */
  const begin = (index: number): boolean => {
    const wanted = lookAhead?.count(index) ?? numImages;
    if (wanted !== count) {
      images.source.evaluateFirst(wanted);
      count = wanted;
      drawn = current.subarray(0, count);
    }
    const copies = lookAhead?.begin(index);
    if (copies) replace(copies);
    noise(uniforms);
    toDraw = 0;
    for (let i = 0; i < count; i++) {
      let level = scored?.[i * total + index] ?? givenAt(i, index);
      if (level === TO_DRAW) {
        if (isUniform(index)) level = Math.floor((uniforms[i] as number) * distribution.levels);
        else toDraw++;
      }
      drawn[i] = level;
    }
    return toDraw > 0 || withLogProb || isWeighed();
  };

  /** Whether levels are given that weigh particles. */
  const isWeighed = () => lookAhead !== undefined && toDraw < count;

  /** Draws what is not given, and adds up log p. */
  const draw = (outputs: Float32Array, place: Place): void => {
    const next = { place, current: images.current(outputs, place[2]), levelsSoFar: all };
    sampler.read(next, count);
    if (toDraw > 0 || scored !== null) {
      sampler.draw(uniforms, drawn, isChanged && withLogProb ? asDrawn : undefined);
      for (let i = 0; i < count; i++) if (drawn[i] === TO_DRAW) drawn[i] = withoutLevel(i, place);
    }
    if (isWeighed()) sampler.steered(drawn, (lookAhead as LookAhead).logFactors.subarray(0, count));
    if (model === undefined) return;
    model.of(next.current, drawn, ofModel.subarray(0, count));
    const index = indexOfPlace(place, imageShape);
    for (let i = 0; i < count; i++) {
      sums.logProb[i] = (sums.logProb[i] as number) + (ofModel[i] as number);
      if (givenAt(i, index) !== TO_DRAW) continue;
      let nats = (isChanged ? asDrawn : ofModel)[i] as number;
      if (isUniform(index)) nats = -log(distribution.levels);
      sums.logDrawn[i] = (sums.logDrawn[i] as number) + nats;
    }
  };

  /** The level with which a version without any goes on, if others of its image have one. */
  const withoutLevel = (i: number, place: Place): number => {
    if (lookAhead === undefined) return leftNoLevel(job, i, place);
    lookAhead.drop(i, place);
    return 0;
  };

  /** Ends a value: puts the levels, and replaces versions that look-ahead drops. */
  const end = (index: number, place: Place): void => {
    for (let i = 0; i < count; i++) all[i * total + index] = drawn[i] as number;
    images.put(place, drawn);
    const isGiven = (n: number) => isWeighed() && givenAt(n, index) !== TO_DRAW;
    const moves = lookAhead?.weigh(index, place, isGiven, levelsOf, uniforms.subarray(-numImages));
    if (moves) replace(moves);
  };

  return {
    images,
    /** Levels of the first version of each image so far, [N*H*W*C]. */
    levels: all.subarray(0, numImages * total),
    /** Draws the value at a place, of all versions. */
    visit(place: Place, index: number): void | Promise<void> {
      if (!begin(index)) return end(index, place);
      const read = (outputs: Float32Array) => {
        readOutputs('sample', distribution, () => draw(outputs, place));
        end(index, place);
      };
      const outputs = images.source.outputs(...place);
      return outputs instanceof Float32Array ? read(outputs) : outputs.then(read);
    },
    finish(): SampledImages {
      const levels = memoryFor('sample', () => levelsArray(numImages * total, distribution.levels));
      levels.set(all.subarray(0, levels.length));
      const of = (sum: Float64Array) => sum.slice(0, withLogProb ? numImages : 0);
      const [logProb, logDrawn] = [of(sums.logProb), of(sums.logDrawn)];
      if (lookAhead === undefined) return { levels, logProb, logDrawn };
      const { logGiven, logCopies } = lookAhead;
      return {
        levels,
        logProb,
        logDrawn: logDrawn.map((nats, n) => nats + (logCopies[n] as number)),
        logGiven,
      };
    },
  };
}
