import type { LayersModel } from '@tensorflow/tfjs-layers';
import { trace } from '../program/trace';
import { fullPasses } from './full';
import { incrementalPasses } from './incremental/evaluator';
import type { Job, SampleOptions } from './options';
import type { Evaluator } from './types';

/**
 * What gives the logits: cached features where every layer of the model can be evaluated pixel by pixel, else
 * whole passes.
 *
 * @throws TypeError naming the layer that cannot, where 'incremental' is asked for
 */
export async function evaluatorFor(
  model: LayersModel,
  { numImages, imageShape, levels, condition }: Job,
  strategy: SampleOptions['strategy'],
): Promise<Evaluator> {
  const traced = strategy === 'full' ? null : trace(model, imageShape[2], levels);
  if (traced !== null && 'program' in traced) {
    return incrementalPasses(traced, numImages, imageShape, levels, condition);
  }
  if (traced !== null && strategy === 'incremental') {
    throw new TypeError(`sample: strategy 'incremental': ${traced.obstacle}; 'full' works with any model`);
  }
  return fullPasses(model, numImages, imageShape, levels, condition);
}
