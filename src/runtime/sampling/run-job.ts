import type { ConditionShape } from '../core/conditions';
import { memoryFor, valuesOf } from '../core/images';
import { pauses } from '../core/pauses';
import { reportProgress } from '../core/progress';
import { withAndWithoutClass } from './changes/guidance';
import type { OutputSource } from './growing-images';
import type { OrderedModel, SampledImages } from './image-model';
import type { Job } from './options';
import { numParticlesOf } from './particles';
import { versionsOf } from './versions';

/** Draws the images of a job, value by value. */
export async function runJob(model: OrderedModel, job: Job): Promise<SampledImages> {
  const source: OutputSource = await memoryForJob(job, () =>
    model.source(evaluatedRows(model.conditions, job)),
  );
  try {
    const { images, levels, visit, finish } = await memoryForJob(job, () =>
      versionsOf(source, model.distribution, job),
    );
    const { signal, onProgress } = job;
    const total = valuesOf(job.imageShape);
    const onRow = (done: number) => onProgress && reportProgress(onProgress, { done, total, levels }, signal);
    await images.eachValue({ signal, pause: pauses(job.yieldEvery), onRow }, visit);
    signal?.throwIfAborted();
    source.release?.();
    return finish();
  } finally {
    source.dispose?.();
  }
}

/** The rows that a model evaluates side by side: for each particle all images, with guidance each of them twice. */
export function evaluatedRows(kinds: readonly ConditionShape[], job: Job) {
  const { imageShape } = job;
  const isGuided = job.guidance !== 0;
  const numConditions = isGuided ? 2 * job.numImages : job.numImages;
  const conditions = isGuided
    ? job.conditions.map((all, i) => withAndWithoutClass(kinds[i] as ConditionShape, all))
    : job.conditions;
  return { numImages: numParticlesOf(job) * numConditions, imageShape, conditions, numConditions };
}

/** {@link memoryFor} a job; the error also mentions the number of particles. */
async function memoryForJob<T>(job: Job, make: () => T | Promise<T>): Promise<T> {
  const particles = numParticlesOf(job);
  const what = particles > 1 ? `sample: lookAhead: ${particles} particles of each image` : 'sample';
  try {
    return await make();
  } catch (cause) {
    return memoryFor(what, () => {
      throw cause;
    });
  }
}
