import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type Condition, conditionData } from '../models/conditions';
import { readArguments } from '../runtime/core/arguments';
import { isPortable, type PortableModel } from '../runtime/program/program';
import * as portable from '../runtime/sampling/stepper';
import { tensorImageModel } from './tensor-model';

/** Options of {@link stepper}. */
export interface StepperOptions extends Omit<portable.StepperOptions, 'condition'> {
  /** The conditions of the images, as for `sample`. */
  condition?: Condition;
}

/**
 * Steps through images value by value, as `stepper` of `pixelcnn-layers/runtime`, which documents it. Weights are those
 * that the model has when it is called.
 *
 * @param model a model that can be evaluated pixel by pixel, without symmetries
 * @throws (rejects, for a model of tfjs) as there; TypeError naming a layer that cannot be evaluated pixel by pixel
 * @example
 * ```js
 * import { pixelCNN, stepper } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const steps = await stepper(model, { numImages: 2 });
 * console.log(steps.place, steps.logProbs().length); // [0, 0, 0] 16
 * steps.dispose();
 * ```
 */
export function stepper(model: PortableModel, options?: portable.StepperOptions): portable.Stepper;
export function stepper(model: LayersModel, options?: StepperOptions): Promise<portable.Stepper>;
export function stepper(
  model: LayersModel | PortableModel,
  options: StepperOptions | portable.StepperOptions = {},
): portable.Stepper | Promise<portable.Stepper> {
  if (isPortable(model)) return portable.stepper(model, options as portable.StepperOptions);
  return ofTensors(model, options as StepperOptions);
}

async function ofTensors(model: LayersModel, options: StepperOptions): Promise<portable.Stepper> {
  const values = readArguments('stepper', options, portable.stepperOptions);
  const what = 'stepper: model';
  const engine = await tensorImageModel(what, model).inOrder(what).inEngine('stepper');
  return portable.stepThrough(engine, { ...values, condition: await conditionData(options.condition) });
}
