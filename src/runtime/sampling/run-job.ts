import { valuesOf } from '../core/images';
import { pauses } from '../core/pauses';
import { reportProgress } from '../core/progress';
import type { OrderedModel, SampledImages } from './image-model';
import { evaluatedRows, type Job, memoryForJob } from './options';
import { versionsOf } from './versions';

/** Draws the images of a job, value by value. */
export async function runJob(model: OrderedModel, job: Job): Promise<SampledImages> {
  const source = await memoryForJob(job, () => model.source(evaluatedRows(model.conditions, job)));
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
