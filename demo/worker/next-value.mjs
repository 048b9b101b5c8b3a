import { stepper } from 'pixelcnn-layers/runtime';
import { conditionOf, shippedModel } from './models.mjs';

/**
 * The image that is being drawn by hand, as far as it has come.
 *
 * @type {null | { steps: import('pixelcnn-layers/runtime').Stepper, model: string, condition: number | undefined, put: number[] }}
 */
let drawing = null;

/**
 * How likely each level of the next value is. Goes on from the job before where that had the same values, as far as it went.
 *
 * @param {import('./protocol.mjs').NextJob} job
 */
export async function nextValue({ model: name, values, condition }) {
  const model = await shippedModel(name);
  const goesOn =
    drawing !== null &&
    drawing.model === name &&
    drawing.condition === condition &&
    drawing.put.length <= values.length &&
    drawing.put.every((level, i) => level === values[i]);
  if (!goesOn) {
    drawing?.steps.dispose();
    const steps = stepper(model, conditionOf(model, condition));
    drawing = { steps, model: name, condition, put: [] };
  }
  const { steps, put } = drawing;
  while (put.length < values.length) {
    steps.put([values[put.length]]);
    put.push(values[put.length]);
  }
  if (steps.place === null) return { place: null, probabilities: null };
  return { place: steps.place, probabilities: Float32Array.from(steps.logProbs(), Math.exp) };
}
