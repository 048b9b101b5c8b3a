import { levelsArray, memoryFor, valuesOf } from '../core/images';
import { pauses } from '../core/pauses';
import { reportProgress } from '../core/progress';
import { readOutputs } from '../distributions/readers';
import { drawingOf } from './drawing';
import type { OutputSource } from './growing-images';
import type { OrderedModel, SampledImages } from './image-model';
import { lookingAhead } from './look-ahead';
import { evaluatedRows, type Job, memoryForJob } from './options';

/** Draws the images of a job, value by value. */
export async function runJob(model: OrderedModel, job: Job): Promise<SampledImages> {
  const source = await memoryForJob(job, () => model.source(evaluatedRows(model.conditions, job)));
  try {
    return await drawFrom(source, model, job);
  } finally {
    source.dispose?.();
  }
}

async function drawFrom(
  source: OutputSource,
  { distribution }: OrderedModel,
  job: Job,
): Promise<SampledImages> {
  const { signal, onProgress, lookAhead } = job;
  const make = lookAhead > 0 ? lookingAhead : drawingOf;
  const drawing = await memoryForJob(job, () => make(source, distribution, job));
  const { images, levels } = drawing;
  const total = valuesOf(job.imageShape);
  const onRow = (done: number) => onProgress && reportProgress(onProgress, { done, total, levels }, signal);
  await images.eachValue({ signal, pause: pauses(job.yieldEvery), onRow }, (place, index) => {
    const isNeeded = drawing.begin(index) > 0 || job.withLogProb;
    if (!isNeeded) return drawing.end(index, place);
    const read = (outputs: Float32Array) => {
      readOutputs('sample', distribution, () => drawing.read(outputs, place));
      drawing.end(index, place);
    };
    const outputs = images.source.outputs(...place);
    return outputs instanceof Float32Array ? read(outputs) : outputs.then(read);
  });
  signal?.throwIfAborted();
  images.source.release?.();
  const drawn = drawing.finish();
  const data = memoryFor('sample', () => levelsArray(drawn.levels.length, distribution.levels));
  data.set(drawn.levels);
  return { ...drawn, levels: data };
}
