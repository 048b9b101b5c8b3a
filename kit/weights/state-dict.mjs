import { loadWeights } from 'pixelcnn-layers/weights';

/**
 * The name that the option `names` of loadWeights gets for a tensor of a state dict, without its prefixes; undefined for
 * a buffer, which is skipped.
 *
 * @param {string} name
 * @returns {string | undefined}
 */
export function nameForLoading(name) {
  let own;
  const names = (given) => {
    own = given;
    return null;
  };
  const none = { dtype: 'F32', shape: [0], data: new Float32Array(0) };
  loadWeights({ layers: [] }, new Map([[name, none]]), { from: 'pytorch', names });
  return own;
}

/**
 * Why a tensor is no weight; null if it may be one.
 *
 * @param {string} name
 * @param {ReadonlyMap<string, import('pixelcnn-layers/weights').NamedTensor>} tensors all of the file
 * @returns {string | null}
 */
export function reasonToSkip(name, tensors) {
  if (nameForLoading(name) === undefined) return 'a buffer';
  if (/(?:^|[./_])(?:optimizer|optim|exp_avg|exp_avg_sq)(?:$|[./_])/.test(name)) return "an optimizer's";
  if (isMask(tensors.get(name))) return 'a mask, by its numbers';
  if (/\.(?:weight_[vg]|original[01])$/.test(name)) return 'of weight normalization: its direction or gain';
  return null;
}

/** Whether a tensor has axes, and both zeros and ones, but no other numbers. */
function isMask({ dtype, shape, data }) {
  if (shape.length < 2) return false;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const numbers =
    { F32: () => new Float32Array(bytes.slice().buffer), U8: () => bytes, BOOL: () => bytes }[dtype]?.() ??
    [];
  return numbers.includes(0) && numbers.includes(1) && numbers.every((one) => one === 0 || one === 1);
}
