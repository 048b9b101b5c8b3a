import type { Tensor } from '@tensorflow/tfjs-core';
import { wrong } from '../check';
import { likelihoodName, likelihoodNamed } from '../likelihood/loss';

/** Stands in a saved model for a loss that was the program's own: functions are not saved. */
export const OWN_LOSS = '(a function of the program)';

/**
 * Replaces names by the functions they name, in any of the forms that `compile` takes: one, a list, a record
 * by output.
 */
export function withFunctions(what: string, value: unknown): unknown {
  if (typeof value === 'function') return value;
  if (Array.isArray(value)) return value.map((item) => withFunctions(what, item));
  if (value === OWN_LOSS) return notSaved;
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([output, item]) => [output, withFunctions(what, item)]),
    );
  }
  const fn = typeof value === 'string' ? likelihoodNamed(value) : undefined;
  return (
    fn ??
    wrong(`compile: ${what}`, 'bitsPerDim, negativeLogLikelihood or a function of (labels, logits)', value)
  );
}

/**
 * The names of a loss or of metrics, in any of the forms that `compile` takes; undefined for functions of the
 * program's own.
 */
export function namesOf(value: unknown): (string | undefined)[] {
  return flatten(value).map(likelihoodName);
}

function flatten(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(flatten);
  return typeof value === 'object' ? Object.values(value).flatMap(flatten) : [value];
}

function notSaved(): Tensor {
  throw new Error(
    "The loss of this model was the program's own function and is not saved: call compile again",
  );
}
