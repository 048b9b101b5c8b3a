import type { Tensor } from '@tensorflow/tfjs-core';
import type { Node } from '../../program/program';

/** The weights of a program, read once. */
export async function readWeights(nodes: readonly Node[]): Promise<Map<Tensor, ArrayLike<number>>> {
  const tensors = nodes.flatMap((node): readonly Tensor[] => {
    if (node.op === 'conv') return node.args.bias ? [node.args.kernel, node.args.bias] : [node.args.kernel];
    if (node.op === 'normalize') return [node.gamma, node.beta].filter((weight) => weight !== undefined);
    return node.op === 'affine' ? node.weights : [];
  });
  const values = await Promise.all(tensors.map((tensor) => tensor.data()));
  return new Map(tensors.map((tensor, i) => [tensor, values[i] as ArrayLike<number>]));
}
