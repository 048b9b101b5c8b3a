import type { Tensor } from '@tensorflow/tfjs-core';
import type { ConditionValues } from '../../image-model/conditions';
import type { Operand } from '../../kernels/instruction';
import { makeKernels } from '../../kernels/kernels';
import type { SamplingKernels } from '../../kernels/sampling-kernels';
import type { Node } from '../../program/program';
import { ONCE } from '../../program/steps';
import type { TracedModel } from '../../program/trace';
import type { Evaluator } from '../types';
import { assemble } from './assemble';
import { Assembler } from './assembler';
import { Machine } from './machine';

/** Images computed together: enough to share each weight that is loaded, few enough for their features to stay in the cache. */
const CHUNK_IMAGES = 32;

/**
 * Logits from cached features: each feature of each layer is computed once, on the host, on float32 numbers only, so that the same weights
 * give the same bits on every backend and machine. Weights are read once; no tensor is made.
 */
export async function incrementalPasses(
  model: TracedModel,
  numImages: number,
  [, width, channels]: readonly [number, number, number],
  levels: number,
  given: ConditionValues | null,
  make: (floats: number) => SamplingKernels = makeKernels,
): Promise<Evaluator> {
  const numChunks = Math.ceil(numImages / CHUNK_IMAGES);
  const chunkImages = Math.ceil(numImages / numChunks);
  const assembler = new Assembler(chunkImages, width, channels, await readWeights(model.program.nodes));
  const { image, condition, logits } = assemble(assembler, model, levels);
  const machine = new Machine(assembler, numImages, make);
  const { heap, chunks } = machine;
  const parts = chunks.map(({ at, images }) =>
    heap.subarray(at(logits), at(logits) + images * logits.stride),
  );
  const all = parts.length === 1 ? (parts[0] as Float32Array) : new Float32Array(numImages * logits.stride);
  let presentRow = -1;
  let isBegun = false; // the present pixel
  let done = 0; // steps of the present pixel
  const begin = (row: number, column: number) => {
    if (isBegun) return;
    if (row !== presentRow) {
      const isFirst = presentRow < 0;
      machine.moveTo(row, 0);
      if (given !== null && condition !== null && (isFirst || isMap(given))) {
        putCondition(machine, condition, given, row, width);
      }
      if (isFirst) machine.run(ONCE);
      machine.runRow(row);
      presentRow = row;
    }
    machine.moveTo(row, column);
    isBegun = true;
    done = 0;
  };
  const run = (last: number) => {
    for (; done <= last; done++) machine.run(done);
  };
  return {
    logits(row, column, channel) {
      begin(row, column);
      run(channel);
      if (parts.length > 1) {
        for (const [k, part] of parts.entries())
          all.set(part, (chunks[k] as { first: number }).first * logits.stride);
      }
      return all;
    },
    put(row, column, channel, drawn) {
      begin(row, column);
      for (const { first, images, at } of chunks) {
        const from = at(image) + channel;
        for (let n = 0; n < images; n++) {
          heap[from + n * image.stride] = (drawn[first + n] as number) / (levels - 1); // as normalize
        }
      }
      if (channel < channels - 1) return;
      run(channels);
      isBegun = false;
    },
    dispose() {}, // the heap goes with the evaluator
  };
}

/** Whether each pixel has a condition of its own. */
const isMap = ({ shape }: ConditionValues) => shape.length > 1;

/** Writes the conditions of all images: vectors, or the row of the maps that begins. */
function putCondition(
  { heap, chunks }: Machine,
  operand: Operand,
  given: ConditionValues,
  row: number,
  width: number,
): void {
  const { stride, columnStride = 0 } = operand;
  const { shape, values } = given;
  const size = shape.at(-1) as number;
  const columns = isMap(given) ? width : 1;
  const rowStart = isMap(given) ? row * width * size : 0;
  const imageSize = shape.reduce((product, length) => product * length, 1);
  for (const { first, images, at } of chunks) {
    const to = at(operand);
    for (let n = 0; n < images; n++) {
      for (let column = 0; column < columns; column++) {
        const from = (first + n) * imageSize + rowStart + column * size;
        heap.set(values.subarray(from, from + size), to + n * stride + column * columnStride);
      }
    }
  }
}

/** The weights of a program, read once. */
async function readWeights(nodes: readonly Node[]): Promise<Map<Tensor, ArrayLike<number>>> {
  const tensors = nodes.flatMap((node): readonly Tensor[] => {
    if (node.op === 'conv') return node.args.bias ? [node.args.kernel, node.args.bias] : [node.args.kernel];
    if (node.op === 'normalize') return [node.gamma, node.beta].filter((weight) => weight !== undefined);
    return node.op === 'affine' ? node.weights : [];
  });
  const values = await Promise.all(tensors.map((tensor) => tensor.data()));
  return new Map(tensors.map((tensor, i) => [tensor, values[i] as ArrayLike<number>]));
}
