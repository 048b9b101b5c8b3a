import { type ModelWeight, type Origin, permuted } from '../model-weights';
import { biasOrigin, directionAndGain, normalizedOrigin, weightNorm } from '../weight-norm';

// The names of PixelCNN++'s weights in https://github.com/pclucas14/pixel-cnn-pp.

/** Finds the tensors that a weight of `pixelCNNPlusPlus` is computed from; null for other weights. */
export function pixelCnnPp(weight: ModelWeight): Origin | null {
  const { layer, part, role, kernel } = weight;
  const conv = convolutionName(layer, part);
  if (conv === null || kernel === null) return null;
  if (!conv.endsWith('deconv')) return normalizedOrigin(conv, weight, { isLinear: conv.endsWith('lin_a') });
  const [rows, columns, featuresIn, featuresOut] = kernel as [number, number, number, number];
  if (role === 'bias') return biasOrigin(conv, featuresOut);
  // In transposed convolutions, that program normalizes the weights of each input, this library the weights
  // of each output. So the direction here is the kernel itself, and the gains are its norms.
  const whole = [featuresIn, featuresOut, rows, columns];
  return {
    parts: directionAndGain(conv, whole),
    make(v, g) {
      const kernel = permuted(weightNorm(v, g), whole, [2, 3, 0, 1]); // [in,out,rows,columns] -> [rows,columns,in,out]
      return role === 'kernel' ? kernel : norms(kernel, featuresOut);
    },
  };
}

/** The norm of each output's weights, [rows,columns,in,out] -> [out]. */
function norms(kernel: Float32Array, featuresOut: number): Float32Array {
  const squares = new Float64Array(featuresOut);
  for (const [i, one] of kernel.entries())
    squares[i % featuresOut] = (squares[i % featuresOut] as number) + one * one;
  return Float32Array.from(squares, Math.sqrt);
}

/** The convolutions outside of blocks. */
const convolutions: ReadonlyMap<string, string> = /* @__PURE__ */ new Map([
  ['stem_u', 'u_init.conv'],
  ['stem_ul_above', 'ul_init.0.conv'],
  ['stem_ul_left', 'ul_init.1.conv'],
  ['final_conv', 'nin_out.lin_a'],
]);

/** The convolutions of a block, by their names here. */
const parts: ReadonlyMap<string, string> = /* @__PURE__ */ new Map([
  ['conv_in', 'conv_input.conv'],
  ['conv_skip', 'nin_skip.lin_a'],
  ['conv_out', 'conv_out.conv'],
]);

/**
 * That program's name for a convolution. Its `up_layers` are our blocks on the way down, its
 * `down_layers` our blocks on the way up, the coarsest first.
 */
function convolutionName(layer: string, part: string): string | null {
  const known = convolutions.get(layer);
  if (known !== undefined) return known;
  const between = /^(downsize|upsize)(\d)_(ul?)$/.exec(layer);
  if (between !== null) {
    const [, kind, scale, stream] = between;
    return kind === 'downsize'
      ? `downsize_${stream}_stream.${scale}.conv`
      : `upsize_${stream}_stream.${1 - Number(scale)}.deconv`;
  }
  const block = /^(down|up)(\d)_(\d+)_(ul?)$/.exec(layer);
  const conv = parts.get(part);
  if (block === null || conv === undefined) return null;
  const [, kind, scale, index, stream] = block;
  const layers = kind === 'down' ? `up_layers.${scale}` : `down_layers.${2 - Number(scale)}`;
  return `${layers}.${stream}_stream.${index}.${conv}`;
}
