import * as tfl from '@tensorflow/tfjs-layers';
import { type AutoregressiveModel, autoregressiveModel, pixelLogits } from 'pixelcnn-layers';

// Models of graphs that a test composes.

export type Symbolic = tfl.SymbolicTensor;

/** What a layer makes of one tensor, or of several. */
export const apply = (layer: tfl.layers.Layer, ...x: Symbolic[]) => layer.apply(x.length === 1 ? (x[0] as Symbolic) : x) as Symbolic;

/** What layers make of a tensor, one after the other. */
export const through = (x: Symbolic, ...layers: tfl.layers.Layer[]) => layers.reduce((y, layer) => apply(layer, y), x);

/** A model of images [H,W,C] of so many levels, by a graph from the image to features, of which its logits are made. */
export function modelOf(
  shape: readonly [number | null, number | null, number],
  levels: number,
  graph: (image: Symbolic) => Symbolic,
): AutoregressiveModel {
  const image = tfl.input({ shape: [...shape] });
  const outputs = apply(pixelLogits({ imageChannels: shape[2], levels }), graph(image));
  return autoregressiveModel({ inputs: image, outputs });
}
