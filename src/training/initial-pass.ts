import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type Given, readArguments } from '../core/arguments';
import { batches, readImages } from '../inference/batches';
import { InitialWeights } from '../layers/initial-weights';
import { eachLayer } from '../layers/pixel-layer';
import { conditionOption } from '../models/conditions';
import { imageModelShape } from '../models/image-model';

/** Options of {@link initializeFromData}. */
export interface InitializationOptions extends Given<typeof conditionOption> {}

/** As {@link initializeFromData}. */
export async function initialize(
  model: LayersModel,
  images: Tensor4D,
  options: InitializationOptions,
): Promise<void> {
  const { condition } = readArguments('initializeFromData', options, conditionOption);
  const batchSize = Math.max(1, images?.shape?.[0] ?? 1);
  const shaped = { ...imageModelShape('initializeFromData: model', model), model };
  const known = await readImages('initializeFromData', shaped, images, condition);
  const initial = new InitialWeights();
  /** Sets it on all layers. While it is set, nothing else runs. */
  const setInitial = (to: InitialWeights | null) => eachLayer(model, (layer) => layer.initializeFrom?.(to));
  try {
    setInitial(initial);
    try {
      for (const { outputs } of batches(shaped, { ...known, batchSize })) outputs.dispose();
    } finally {
      setInitial(null);
    }
    if (initial.size === 0)
      throw new TypeError('initializeFromData: model: wanted a layer with weight normalization, got none');
    if (!(await initial.areFinite()))
      throw new Error('initializeFromData: the outputs of a convolution are not finite');
    initial.write();
  } finally {
    initial.dispose();
  }
}
