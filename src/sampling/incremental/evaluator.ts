import type { ConditionValues } from '../../image-model/conditions';
import { normalizedLevel } from '../../image-model/normalize';
import type { ImageShape } from '../../image-model/place';
import type { Operand } from '../../kernels/instruction';
import type { SamplingKernels } from '../../kernels/sampling-kernels';
import type { TracedModel } from '../../program/trace';
import { kernelsForSampling } from '../kernels';
import type { Evaluator } from '../types';
import { compile } from './compile';
import { Cursor } from './cursor';
import { Machine } from './machine';
import { Plan } from './plan';
import { putCondition } from './put-condition';
import { readWeights } from './read-weights';

/**
 * Images computed together: enough to share each weight that is loaded, few enough for their features to stay
 * in the cache.
 */
const CHUNK_IMAGES = 32;

/**
 * Logits from cached features: each feature of each layer is computed once, on the host, on float32 numbers
 * only, so that the same weights give the same bits on every backend and machine. Weights are read once; no
 * tensor is made.
 */
export async function incrementalPasses(
  model: TracedModel,
  numImages: number,
  [, width, channels]: ImageShape,
  levels: number,
  given: ConditionValues | null,
  make: (floats: number) => SamplingKernels = kernelsForSampling,
): Promise<Evaluator> {
  const numChunks = Math.ceil(numImages / CHUNK_IMAGES);
  const chunkImages = Math.ceil(numImages / numChunks);
  const plan = new Plan(chunkImages, width, channels, await readWeights(model.program.nodes));
  const { image, condition, logits } = compile(plan, model, levels);
  const machine = new Machine(plan, numImages, make);
  const readLogits = logitsReader(machine, logits, numImages);
  const cursor = new Cursor(machine, (row) => {
    if (given !== null && condition !== null) putCondition(machine, condition, given, row);
  });
  return {
    logits(row, column, channel) {
      cursor.enter(row, column);
      cursor.runTo(channel);
      return readLogits();
    },
    put(row, column, channel, drawn) {
      cursor.enter(row, column);
      putLevels(machine, { ...image, offset: image.offset + channel }, drawn, levels);
      if (channel < channels - 1) return;
      cursor.runTo(channels);
      cursor.leave();
    },
    dispose() {}, // the heap goes with the evaluator
  };
}

/**
 * A function that gives the logits of all images, [images, padded levels]: where they lie, or copied together
 * where there is more than one chunk.
 */
function logitsReader({ heap, chunks }: Machine, operand: Operand, numImages: number): () => Float32Array {
  const parts = chunks.map(({ first, images, at }) => {
    const from = at(operand);
    return { to: first * operand.stride, part: heap.subarray(from, from + images * operand.stride) };
  });
  const [one, ...others] = parts;
  if (one !== undefined && others.length === 0) return () => one.part;
  const all = new Float32Array(numImages * operand.stride);
  return () => {
    for (const { to, part } of parts) all.set(part, to);
    return all;
  };
}

/** Writes the levels drawn at one place, [images], as models take them. */
function putLevels({ heap, chunks }: Machine, operand: Operand, drawn: Int32Array, levels: number): void {
  for (const { first, images, at } of chunks) {
    const to = at(operand);
    for (let n = 0; n < images; n++) {
      heap[to + n * operand.stride] = normalizedLevel(drawn[first + n] as number, levels);
    }
  }
}
