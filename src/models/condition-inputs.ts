import { input } from '@tensorflow/tfjs-layers';
import { categories, flag, type Given, integer, optional, type Values } from '../core/arguments';
import { checkMemory, throwTypeError } from '../core/check';
import { oneHotClass, oneHotCodes } from '../layers/encodings';
import type { Shape } from '../layers/types';

export const conditionArguments = {
  /** Conditions the model on a class, 0 to numClasses - 1: an input [N,1]. */
  numClasses: optional(categories({ from: 1 })),
  /**
   * Whether `numClasses` is itself a valid class, meaning no class: for training with dropped conditions.
   * @default false
   */
  nullClass: flag(false),
  /** Conditions the model on vectors of this length: an input [N,K]. */
  conditionSize: optional(integer({ from: 1 })),
};

/** What networks may be conditioned on. */
export interface ConditionArgs extends Given<typeof conditionArguments> {}

/** All that some network takes. */
interface Conditions extends Values<typeof conditionArguments> {
  readonly conditionMapSize?: number | undefined;
  readonly codeCondition?: { readonly levels: number; readonly shape: readonly [number, number] } | undefined;
  readonly imageShape: readonly [number | null, number | null, number];
}

/**
 * The inputs of a network: the image [N,H,W,C], then class, vector, map and codes. `conditions` are what gates get of
 * all but the image: [N,K], [N,H,W,K], or for codes [N,h,w,K]. All except codes will be projected to `projected`
 * features. `what` names the network in errors.
 */
export function networkInputs(
  what: string,
  { numClasses, nullClass, conditionSize, conditionMapSize, codeCondition, imageShape }: Conditions,
  projected: number,
) {
  if (nullClass && numClasses === undefined)
    throwTypeError(`${what}: nullClass`, 'numClasses beside it', nullClass);
  const [height, width] = imageShape;
  const all = [
    ['class', 'numClasses', numClasses, [1]],
    ['vector', 'conditionSize', conditionSize, [conditionSize]],
    ['map', 'conditionMapSize', conditionMapSize, [height, width, conditionMapSize]],
    ['codes', 'codeCondition: levels', codeCondition?.levels, [...(codeCondition?.shape ?? []), 1]],
  ] as const;
  const taken = all.filter(([, , size]) => size !== undefined);
  for (const [, option, size = 0] of taken) checkMemory(`${what}: ${option}`, [size, projected]);
  const image = input({ shape: [...imageShape], name: 'image' });
  const inputs = [image];
  const conditions = taken.map(([kind, , size = 0, shape]) => {
    const given = input({ shape: [...shape] as Shape, name: taken.length === 1 ? 'condition' : kind }); // [N,1], [N,K], [N,H,W,K] or [N,h,w,1]
    inputs.push(given);
    if (kind === 'class') return oneHotClass({ name: 'one_hot', numClasses: size, nullClass }).apply(given); // [N,1] -> [N,K]
    if (kind === 'codes') return oneHotCodes({ name: 'one_hot_codes', levels: size }).apply(given); // [N,h,w,1] -> [N,h,w,K]
    return given;
  });
  return { image, inputs, conditions };
}
