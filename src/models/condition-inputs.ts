import { input, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { categories, flag, type Given, integer, optional, type Values } from '../core/arguments';
import { checkMemory, throwTypeError } from '../core/check';
import type { ConditionShape } from '../core/conditions';
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

/** An input of a network after the image, and the features that the gates get from it. */
interface ConditionInput {
  readonly kind: ConditionShape['kind'];
  readonly input: SymbolicTensor;
  /** [N,K], [N,H,W,K], or [N,h,w,K] for codes */
  readonly features: SymbolicTensor;
}

/**
 * The inputs after the image, in the order class, vector, map, codes. All except codes will be projected to `projected`
 * features. `what` names the network in errors.
 */
export function conditionInputs(
  what: string,
  { numClasses, nullClass, conditionSize, conditionMapSize, codeCondition, imageShape }: Conditions,
  projected: number,
): ConditionInput[] {
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
  return taken.map(([kind, option, size = 0, shape]) => {
    checkMemory(`${what}: ${option}`, [size, projected]);
    const given = input({ shape: [...shape] as Shape, name: taken.length === 1 ? 'condition' : kind }); // [N,1], [N,K], [N,H,W,K] or [N,h,w,1]
    const encoders: Partial<Record<typeof kind, () => SymbolicTensor>> = {
      class: () => oneHotClass({ name: 'one_hot', numClasses: size, nullClass }).apply(given), // [N,1] -> [N,K]
      codes: () => oneHotCodes({ name: 'one_hot_codes', levels: size }).apply(given), // [N,h,w,1] -> [N,h,w,K]
    };
    return { kind, input: given, features: encoders[kind]?.() ?? given };
  });
}
