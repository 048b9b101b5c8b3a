import type { Tensor } from '@tensorflow/tfjs-core';
import { makeKernels } from '../../kernels/kernels';
import type { Kernels } from '../../kernels/types';
import { indexOf, type Node, stepsOf } from '../../program/program';
import type { Evaluator } from '../types';
import type { CompiledModel } from './compile';
import { addConvolution } from './convolution';
import { FeatureCache, type Reach } from './feature-cache';
import { addFeaturewise } from './featurewise';
import { Layout } from './layout';
import { Machine } from './machine';

/**
 * Logits from cached features: each feature of each layer is computed once, on the host, on float32 numbers only, so that the same weights
 * give the same bits on every backend and machine. Weights are read once; no tensor is made.
 */
export async function incrementalPasses(
  { program: { nodes }, logits }: CompiledModel,
  numImages: number,
  [, width, channels]: readonly [number, number, number],
  levels: number,
  make: (floats: number) => Kernels = makeKernels,
): Promise<Evaluator> {
  const machine = new Machine(numImages, channels, await readWeights(nodes));
  const fused = fusedRelus(nodes);
  const reaches = reachOf(nodes);
  const caches = stepsOf(nodes).map((steps, index) => {
    const layout = new Layout(steps, channels, nodes[index]?.op === 'image' ? 1 : 4);
    return new FeatureCache(layout, reaches[index] as Reach, width, numImages);
  });
  const cache = (index: number) => caches[index] as FeatureCache;
  for (const [index, node] of nodes.entries()) {
    const relu = fused.get(index);
    if (relu === undefined) cache(index).placeAt(machine.reserve(cache(index).size));
    if (node.op === 'conv') {
      if (relu !== undefined) cache(relu).placeAt(machine.reserve(cache(relu).size));
      addConvolution(machine, node.args, cache(node.input), cache(relu ?? index), relu !== undefined);
    } else if (node.op !== 'image' && !isFused(fused, index)) {
      addFeaturewise(machine, node, ('inputs' in node ? node.inputs : [node.input]).map(cache), cache(index));
    }
  }
  const kernels = make(machine.floats);
  for (const fill of machine.fills) fill(kernels);

  const image = cache(0);
  const output = cache(indexOf(logits));
  const result = new Float32Array(numImages * levels);
  let isBegun = false; // the present pixel
  let done = 0; // steps of the present pixel
  const begin = (row: number, column: number) => {
    if (isBegun) return;
    for (const place of caches) place.moveTo(row, column);
    for (const action of machine.pixelActions) action(kernels);
    isBegun = true;
    done = 0;
  };
  const run = (last: number) => {
    for (; done <= last; done++) for (const action of machine.stepActions[done] ?? []) action(kernels);
  };
  return {
    logits(row, column, channel) {
      begin(row, column);
      run(channel);
      // The levels of a channel have one step and follow each other, so they lie side by side.
      const from = output.here + (output.layout.slotOf[channel * levels] as number);
      for (let n = 0; n < numImages; n++) {
        const begins = from + n * output.imageStride;
        result.set(kernels.heap.subarray(begins, begins + levels), n * levels);
      }
      return result;
    },
    put(row, column, channel, drawn) {
      begin(row, column);
      for (let n = 0; n < numImages; n++) {
        kernels.heap[image.here + channel + n * image.imageStride] = (drawn[n] as number) / (levels - 1); // as normalize
      }
      if (channel < channels - 1) return;
      run(channels);
      isBegun = false;
    },
    dispose() {}, // the heap goes with the evaluator
  };
}

/** Convolutions whose only reader is a ReLU, which is then part of them: the ReLU's node by the convolution's. */
function fusedRelus(nodes: readonly Node[]): Map<number, number> {
  const readers = nodes.map(() => [] as number[]);
  for (const [index, node] of nodes.entries()) {
    const inputs = 'inputs' in node ? node.inputs : 'input' in node ? [node.input] : [];
    for (const input of inputs) readers[input]?.push(index);
  }
  const fused = new Map<number, number>();
  for (const [index, node] of nodes.entries()) {
    const [reader, ...others] = readers[index] as number[];
    if (node.op === 'conv' && reader !== undefined && others.length === 0 && nodes[reader]?.op === 'relu') {
      fused.set(index, reader);
    }
  }
  return fused;
}

const isFused = (fused: Map<number, number>, relu: number) => [...fused.values()].includes(relu);

function reachOf(nodes: readonly Node[]): Reach[] {
  const reach: Reach[] = nodes.map(() => ({ rows: 1, margin: 0 }));
  for (const node of nodes) {
    if (node.op !== 'conv') continue;
    const [kernelRows = 1, kernelColumns = 1] = node.args.kernel.shape;
    const { rows, margin } = reach[node.input] as Reach;
    reach[node.input] = {
      rows: Math.max(rows, (kernelRows >> 1) + 1),
      margin: Math.max(margin, kernelColumns >> 1),
    };
  }
  return reach;
}

/** The weights of a program, read once. */
async function readWeights(nodes: readonly Node[]): Promise<Map<Tensor, ArrayLike<number>>> {
  const tensors = nodes.flatMap((node) => {
    if (node.op === 'conv') return node.args.bias ? [node.args.kernel, node.args.bias] : [node.args.kernel];
    return node.op === 'affine' ? node.weights : [];
  });
  const values = await Promise.all(tensors.map((tensor) => tensor.data()));
  return new Map(tensors.map((tensor, i) => [tensor, values[i] as ArrayLike<number>]));
}
