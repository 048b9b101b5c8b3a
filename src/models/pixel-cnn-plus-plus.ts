import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { type ShiftedConv2DArgs, shiftedConv2d } from '../layers/causal-conv-2d';
import { gatedResBlock } from '../layers/gated-res-block';
import { centeredImage, pixelShift } from '../layers/map-layers';
import { partSeed } from '../layers/seeds';
import { type Given, integer, optional, readArguments } from '../runtime/core/arguments';
import { checkMemories, throwTypeError } from '../runtime/core/check';
import type { Shift } from '../runtime/core/declared-window';
import type { AutoregressiveModel } from './autoregressive-model';
import * as network from './network';

const declared = {
  ...network.anyNetworkArguments,
  /** [H, W, C], with H and W multiples of 4; null accepts any such height or width. */
  imageShape: network.anyNetworkArguments.imageShape,
  /** F, the number of features of each map; the paper has 160. */
  filters: integer({ from: 1 }),
  /** Gated residual blocks at each resolution on the way down. The way up has one more at the finer two. @default 5 */
  numResnets: optional(network.blocks({ from: 1 }), 5),
  /**
   * The distribution of the outputs. A pixel's channels are independent but with a mixture.
   * @default { components: 10 }
   */
  output: optional(network.outputArgument, { components: 10 }),
  ...network.conditionArguments(),
};

/** Arguments of {@link pixelCNNPlusPlus}. */
export interface PixelCNNPlusPlusArgs extends Given<typeof declared> {}

const NUM_SCALES = 3; // full, half and quarter resolution
const COARSEST = 2 ** (NUM_SCALES - 1);

/** The two streams at one resolution, each [N,H,W,F]. */
interface Streams {
  readonly u: SymbolicTensor; // sees all of the rows above
  readonly ul: SymbolicTensor; // sees rows above and pixels to the left
}

/**
 * PixelCNN++: two streams of gated residual blocks ({@link GatedResBlock}). One sees the rows above, the other also the
 * pixels to the left. They run from full to half and quarter resolution and back, and every map on the way down becomes
 * a skip on the way up. Every convolution has weight normalization. The outputs of a pixel do not see the pixel itself,
 * so its channels depend on each other only through the mixture ({@link LogisticMixture}).
 *
 * It reads images scaled to [-1, 1] with a channel of ones ({@link CenteredImage}). It may be conditioned on a class, a
 * vector, or both, which are added in every block. Before training, `initializeFromData` sets gains and biases. With 160
 * filters, 5 resnets and 10 components for images 32x32x3, it has the paper's 53.7 million weights.
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, section 2 and figure 2, as in the
 * paper's code.
 *
 * @returns a model as {@link pixelCNN} returns, from images or [images, conditions]
 * @throws TypeError naming the argument that is missing or out of range.
 * @example
 * ```js
 * import { pixelCNNPlusPlus, sample } from 'pixelcnn-layers';
 * const model = pixelCNNPlusPlus({ imageShape: [8, 8, 1], levels: 17, filters: 8, numResnets: 1, output: { components: 3 }, seed: 1 });
 * const images = await sample(model, { numImages: 2, seed: 1 });
 * console.log(images.shape); // [2, 8, 8, 1]
 * ```
 */
export function pixelCNNPlusPlus(args: PixelCNNPlusPlusArgs): AutoregressiveModel {
  const what = 'pixelCNNPlusPlus';
  const values = readArguments(what, args, declared);
  const { imageShape, filters, numResnets, dropout, seed, name } = values;
  if (imageShape.slice(0, 2).some((length) => length !== null && length % COARSEST !== 0)) {
    const wanted = `a height and width that are multiples of ${COARSEST}, or null`;
    throwTypeError(`${what}: imageShape`, wanted, imageShape);
  }
  const head = network.outputLayer(values);
  checkMemories(what, {
    filters: [2, 3, 2 * filters, 2 * filters],
    [head.option]: [filters, head.numFeatures],
  });
  const { image, inputs, conditions } = network.networkInputs(what, values, 2 * filters);
  const part = (name: string) => ({ name, seed: partSeed(seed, name) });

  const conv = (name: string, x: SymbolicTensor, of: Partial<ShiftedConv2DArgs> & { shift: Shift }) => {
    const kernelSize = of.kernelSize ?? (of.shift === 'down' ? [2, 3] : [2, 2]);
    return shiftedConv2d({ ...part(name), filters, weightNormalization: true, ...of, kernelSize }).apply(x);
  };
  const block = (name: string, shift: Shift, x: SymbolicTensor, skip: readonly SymbolicTensor[] = []) => {
    const layer = { ...part(name), filters, shift, hasSkip: skip.length > 0, dropout };
    const a = skip.length > 1 ? [network.concat(`${name}_skips`, skip)] : skip; // [N,H,W,F], [N,H,W,F] -> [N,H,W,2F]
    return gatedResBlock({ ...layer, weightNormalization: true }).apply([x, ...a, ...conditions]); // [N,H,W,F]
  };
  const resize = (name: string, { u, ul }: Streams, transposed: boolean): Streams => ({
    u: conv(`${name}_u`, u, { shift: 'down', stride: 2, transposed }),
    ul: conv(`${name}_ul`, ul, { shift: 'downRight', stride: 2, transposed }),
  });

  const x = centeredImage({ name: 'centered' }).apply(image); // [N,H,W,C] -> [N,H,W,C+1]
  const above = conv('stem_u', x, { shift: 'down' }); // [N,H,W,C+1] -> [N,H,W,F], as the next two
  const row = conv('stem_ul_above', x, { shift: 'down', kernelSize: [1, 3] });
  const column = conv('stem_ul_left', x, { shift: 'downRight', kernelSize: [2, 1] });
  let streams: Streams = {
    u: pixelShift({ name: 'stem_u_shift', rows: 1 }).apply(above), // [N,H,W,F], both
    ul: network.addShifted('stem_ul', row, column),
  };
  const skips = [streams];
  for (let scale = 0; scale < NUM_SCALES; scale++) {
    for (let index = 0; index < numResnets; index++) {
      const name = `down${scale}_${index}`;
      const u = block(`${name}_u`, 'down', streams.u);
      streams = { u, ul: block(`${name}_ul`, 'downRight', streams.ul, [u]) };
      skips.push(streams);
    }
    if (scale === NUM_SCALES - 1) break;
    streams = resize(`downsize${scale}`, streams, false); // [N,H,W,F] -> [N,H/2,W/2,F]
    skips.push(streams);
  }
  skips.pop(); // the coarsest maps, with which the way up begins
  for (let scale = NUM_SCALES - 1; scale >= 0; scale--) {
    const numBlocks = scale === NUM_SCALES - 1 ? numResnets : numResnets + 1;
    for (let index = 0; index < numBlocks; index++) {
      const name = `up${scale}_${index}`;
      const skip = skips.pop() as Streams;
      const u = block(`${name}_u`, 'down', streams.u, [skip.u]);
      streams = { u, ul: block(`${name}_ul`, 'downRight', streams.ul, [u, skip.ul]) };
    }
    if (scale > 0) streams = resize(`upsize${scale - 1}`, streams, true); // [N,H/2,W/2,F] -> [N,H,W,F]
  }
  const active = layers.elu({ name: 'elu' }).apply(streams.ul) as SymbolicTensor;
  const last = { shift: 'downRight', kernelSize: 1, filters: head.numFeatures } as const;
  const outputs = head.layer.apply(conv('final_conv', active, last)); // [N,H,W,F] -> [N,H,W,P], or C*L -> [N,H,W,C,L]
  return network.networkModel(args, { inputs, outputs, name });
}
