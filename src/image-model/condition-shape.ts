import type { layers, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { OneHotClass } from '../layers/one-hot-class';

/** What a model takes beside the image: a class, a vector [K], or a map [H,W,K] of numbers. */
export type ConditionShape =
  | { readonly kind: 'class'; readonly numClasses: number }
  | { readonly kind: 'vector' | 'map'; readonly size: number };

/**
 * What the second input of a graph of layers is, beside images [N,H,W,C]; null where it is none of the three.
 */
export function conditionShape(
  input: SymbolicTensor,
  [, height, width]: readonly (number | null)[],
  graph: readonly layers.Layer[],
): ConditionShape | null {
  const size = input.shape.at(-1);
  const isMap = input.rank === 4 && input.shape[1] === height && input.shape[2] === width;
  if (size == null || (input.rank !== 2 && !isMap)) return null;
  const reader = input.sourceLayer.outboundNodes
    .map(({ outboundLayer }) => outboundLayer)
    .find((layer) => layer.getClassName() === OneHotClass.className && graph.includes(layer));
  if (reader !== undefined) return { kind: 'class', numClasses: reader.getConfig()['numClasses'] as number };
  return { kind: input.rank === 2 ? 'vector' : 'map', size };
}
