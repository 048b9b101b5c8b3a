import { flag, type Given, readArguments } from '../runtime/core/arguments';
import { checkInteger, checkMemory, sizeFromShape, throwTypeError } from '../runtime/core/check';
import { bytesOf } from '../runtime/program/safetensors';
import { checkNamedTensor, type NamedTensor, numbersOf, widthOf } from './named-tensor';

const declared = {
  /** Whether to add zeros if the groups do not divide the features. @default false */
  pad: flag(false),
};

/** Options of {@link interleaved}. */
export interface InterleavedOptions extends Given<typeof declared> {}

/**
 * Reorders interleaved features group by group, as this library requires: of n features in G groups, feature i of the
 * input belongs to group i mod G, and feature i of the result to group floor(i G / n). Programs whose masks depend on i
 * mod C interleave the features of C image channels. Their weights have the shapes that this library expects, so no
 * error reports the wrong order. Reorder the axes of inputs and of outputs of every kernel, and every bias.
 *
 * With `pad`, zeros at the end of groups extend n features to G ceil(n/G). Pad each half of a gate's input separately.
 *
 * @param tensor a tensor, as from {@link readSafetensors}, which stays unchanged
 * @param groups G, the number of groups, such as the image's channels
 * @returns a tensor of the same dtype, with its own memory
 * @throws TypeError naming the invalid argument, or if the groups do not divide the features and `pad` is not true
 * @example
 * ```js
 * import { interleaved } from 'pixelcnn-layers/weights';
 * const bias = { dtype: 'F32', shape: [5], data: Float32Array.of(1, 2, 3, 4, 5) }; // of channels 0, 1, 0, 1, 0
 * const { data, shape } = interleaved(bias, 0, 2, { pad: true });
 * console.log(String(data), shape); // 1,3,5,2,4,0 [6]
 * ```
 */
export function interleaved(
  tensor: NamedTensor,
  axis: number,
  groups: number,
  options: InterleavedOptions = {},
): NamedTensor {
  checkNamedTensor('interleaved: tensor', tensor);
  const { dtype, shape, data } = tensor;
  checkInteger('interleaved: axis', axis, 0, shape.length - 1);
  checkInteger('interleaved: groups', groups, 1);
  const { pad } = readArguments('interleaved', options, declared);
  const features = shape[axis] as number;
  if (features % groups !== 0 && !pad) {
    const wanted = `a multiple of ${groups} features, or pad: true`;
    throwTypeError(`interleaved: axis ${axis}`, wanted, features);
  }
  const each = Math.ceil(features / groups);
  const padded = shape.map((length, i) => (i === axis ? groups * each : length));
  checkMemory('interleaved: padded tensor', padded);
  const run = sizeFromShape(shape.slice(axis + 1)) * widthOf(tensor); // the contiguous bytes of a feature
  const from = bytesOf(data);
  const to = new Uint8Array(sizeFromShape(padded) * widthOf(tensor)); // with zeros where no feature is written
  for (let at = 0; at * run < from.length; at++) {
    const [before, feature] = [Math.floor(at / features), at % features];
    const place = (before * groups + (feature % groups)) * each + Math.floor(feature / groups);
    to.set(from.subarray(at * run, (at + 1) * run), place * run);
  }
  return { dtype, shape: padded, data: numbersOf(dtype, to) };
}
