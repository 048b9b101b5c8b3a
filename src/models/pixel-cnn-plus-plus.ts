import { input, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import {
  checkArgs,
  checkCategories,
  checkInteger,
  checkMemory,
  type NamesOf,
  throwTypeError,
} from '../core/check';
import type { Shift } from '../core/window';
import { centeredImage } from '../layers/centered-image';
import { gatedResBlock } from '../layers/gated-res-block';
import { pixelShift } from '../layers/pixel-shift';
import { checkSeed, partSeed, type SeedArgs } from '../layers/seeds';
import { type ShiftedConv2DArgs, shiftedConv2d } from '../layers/shifted-conv-2d';
import { checkRate } from '../program/operations/attend';
import { type AutoregressiveModel, autoregressiveModel } from './autoregressive-model';
import { type ConditionArgs, conditionArgNames, conditionInputs } from './condition-inputs';
import { checkImageShape, checkOutput, concat, type OutputMeaning, wholePixelOutputs } from './network';

/** Arguments of {@link pixelCNNPlusPlus}. */
export interface PixelCNNPlusPlusArgs extends SeedArgs, ConditionArgs {
  /** [H, W, C], with H and W multiples of 4; null accepts any such height or width. */
  imageShape: readonly [number | null, number | null, number];
  /** L, the number of levels of a channel. @default 256 */
  levels?: number;
  /** F, the number of features of each map; the paper has 160. */
  filters: number;
  /** Gated residual blocks at each resolution on the way down; on the way up, one more at the finer two. @default 5 */
  numResnets?: number;
  /** The probability of dropping a feature in training, in each block; the paper has 0.5. @default 0 */
  dropout?: number;
  /**
   * What the outputs mean. With the softmax the channels of a pixel are independent of each other given all earlier
   * pixels; with the mixture they are not.
   * @default { components: 10 }
   */
  output?: OutputMeaning;
  /** Name of the model. */
  name?: string;
}

const argNames: NamesOf<PixelCNNPlusPlusArgs> = {
  imageShape: true,
  levels: true,
  filters: true,
  numResnets: true,
  dropout: true,
  output: true,
  seed: true,
  name: true,
  ...conditionArgNames,
};

/** Resolutions: whole, half and quarter. */
const NUM_SCALES = 3;
/** Height and width must be multiples of this. */
const COARSEST = 2 ** (NUM_SCALES - 1);

/** The two streams of PixelCNN++, each [N,H,W,F] at some resolution. */
interface Streams {
  /** Sees all of the rows above. */
  readonly u: SymbolicTensor;
  /** Sees rows above and pixels to the left. */
  readonly ul: SymbolicTensor;
}

/**
 * PixelCNN++: two streams of gated residual blocks ({@link GatedResBlock}). One sees the rows above, the other also the
 * pixels to the left. They go down from full to half and quarter resolution and back up, and every map on the way down
 * becomes a skip on the way up. Every convolution has weight normalization. The outputs of a pixel do not see the pixel
 * itself: its channels depend on each other through the mixture ({@link LogisticMixture}).
 *
 * It reads images scaled to [-1, 1] with a channel of ones ({@link CenteredImage}). `initializeFromData` sets gains and
 * biases from a batch before training. It may be conditioned on a class, a vector, or both, which are added in every
 * block.
 *
 * With 160 filters and 5 resnets, images 32x32x3 and 10 components it has the paper's 53.7 million weights.
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, section 2 and figure 2, as in the
 * paper's code.
 *
 * @returns a model from images [N,H,W,C] in [0, 1] (see `normalize`), or from [images, conditions], to parameters [N,H,W,P],
 * or with `output: 'softmax'` to logits [N,H,W,C,L]
 * @throws TypeError naming the argument that is missing or out of range.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { bitsPerDim, pixelCNNPlusPlus, sample } from 'pixelcnn-layers';
 * const model = pixelCNNPlusPlus({ imageShape: [8, 8, 1], levels: 17, filters: 8, numResnets: 1, output: { components: 3 }, seed: 1 });
 * model.compile({ optimizer: tf.train.adam(1e-3), loss: bitsPerDim });
 * const images = await sample(model, { numImages: 2, seed: 1 });
 * console.log(images.shape); // [2, 8, 8, 1]
 * ```
 */
export function pixelCNNPlusPlus(args: PixelCNNPlusPlusArgs): AutoregressiveModel {
  const { imageShape, filters, numResnets, outputs, dropout, seed, named } = checkNetwork(args);
  const conditions = conditionInputs('pixelCNNPlusPlus', args, 2 * filters);
  const condition = conditions.map(({ features }) => features);
  const part = (name: string) => ({ name, seed: partSeed(seed, name) });

  const conv = (name: string, x: SymbolicTensor, of: Partial<ShiftedConv2DArgs> & { shift: Shift }) => {
    const kernelSize = of.kernelSize ?? (of.shift === 'down' ? [2, 3] : [2, 2]);
    return shiftedConv2d({ ...part(name), filters, weightNormalization: true, ...of, kernelSize }).apply(x);
  };
  const block = (name: string, shift: Shift, x: SymbolicTensor, skip: readonly SymbolicTensor[] = []) => {
    const layer = { ...part(name), filters, shift, hasSkip: skip.length > 0, dropout };
    const a = skip.length > 1 ? [concat(`${name}_skips`, skip)] : skip; // [N,H,W,F], [N,H,W,F] -> [N,H,W,2F]
    return gatedResBlock({ ...layer, weightNormalization: true }).apply([x, ...a, ...condition]); // [N,H,W,F]
  };
  const resize = (name: string, { u, ul }: Streams, transposed: boolean): Streams => ({
    u: conv(`${name}_u`, u, { shift: 'down', stride: 2, transposed }),
    ul: conv(`${name}_ul`, ul, { shift: 'downRight', stride: 2, transposed }),
  });
  const stem = (x: SymbolicTensor): Streams => {
    const shift = (name: string, of: SymbolicTensor, by: { rows?: number; columns?: number }) =>
      pixelShift({ name, ...by }).apply(of);
    const above = conv('stem_u', x, { shift: 'down' }); // [N,H,W,C+1] -> [N,H,W,F], as the next two
    const row = conv('stem_ul_above', x, { shift: 'down', kernelSize: [1, 3] });
    const column = conv('stem_ul_left', x, { shift: 'downRight', kernelSize: [2, 1] });
    const sum = layers.add({ name: 'stem_ul' });
    return {
      u: shift('stem_u_shift', above, { rows: 1 }),
      ul: sum.apply([
        shift('stem_ul_above_shift', row, { rows: 1 }),
        shift('stem_ul_left_shift', column, { columns: 1 }),
      ]) as SymbolicTensor,
    };
  };

  const image = input({ shape: [...imageShape], name: 'image' }); // [N,H,W,C]
  let streams = stem(centeredImage({ name: 'centered' }).apply(image)); // [N,H,W,C] -> [N,H,W,C+1] -> [N,H,W,F], both
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
  skips.pop(); // the deepest maps, which the way up begins with
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
  const last = conv('final_conv', active, {
    shift: 'downRight',
    kernelSize: 1,
    filters: outputs.numFeatures,
  }); // [N,H,W,F] -> [N,H,W,P] or [N,H,W,C*L]
  return autoregressiveModel({
    inputs: [image, ...conditions.map((one) => one.input)],
    outputs: outputs.layer.apply(last),
    ...named,
  });
}

/** Far more than any network has. A typo could otherwise use up all memory and time. */
const MOST_RESNETS = 1000;

/** The arguments, checked, with defaults filled in. */
function checkNetwork(args: PixelCNNPlusPlusArgs) {
  const label = (what: string) => `pixelCNNPlusPlus: ${what}`;
  const { imageShape, levels = 256, name } = checkArgs('pixelCNNPlusPlus', args, argNames);
  const imageChannels = checkImageShape(label('imageShape'), imageShape);
  if (imageShape.slice(0, 2).some((length) => length !== null && length % COARSEST !== 0)) {
    throwTypeError(
      label('imageShape'),
      `a height and width that are multiples of ${COARSEST}, or null`,
      imageShape,
    );
  }
  checkCategories(label('levels'), levels, 2);
  const filters = checkInteger(label('filters'), args.filters, 1);
  checkMemory(label('filters'), [2, 3, 2 * filters, 2 * filters]);
  const numResnets = checkInteger(label('numResnets'), args.numResnets ?? 5, 1, MOST_RESNETS);
  const output = checkOutput(label('output'), args.output ?? { components: 10 });
  const outputs = wholePixelOutputs(label, output, { imageChannels, levels }, filters);
  const dropout = checkRate(label('dropout'), args.dropout ?? 0);
  const seed = checkSeed('pixelCNNPlusPlus', args.seed);
  const named = name === undefined ? {} : { name };
  return { imageShape, filters, numResnets, outputs, dropout, seed, named };
}
