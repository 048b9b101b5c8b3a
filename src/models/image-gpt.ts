import { shiftedConv2d } from '../layers/causal-conv-2d';
import { levelEmbedding } from '../layers/encodings';
import { pixelDropout } from '../layers/pixel-dropout';
import { pixelNormalization } from '../layers/pixel-normalization';
import { placeEmbedding, rasterShift } from '../layers/raster-order';
import { partSeed } from '../layers/seeds';
import { transformerArguments, transformerBlock } from '../layers/transformer-block';
import { categories, type Given, multipleOf, readArguments } from '../runtime/core/arguments';
import { checkMemories, throwTypeError } from '../runtime/core/check';
import { type AutoregressiveModel, autoregressiveModel } from './autoregressive-model';
import * as network from './network';

const declared = {
  ...network.anyNetworkArguments,
  /** [H, W, 1]. */
  imageShape: network.anyNetworkArguments.imageShape,
  /** L, the number of levels, such as the colours of a palette. */
  levels: categories({ from: 2 }),
  ...transformerArguments,
  /** F, the number of features of each place; a multiple of `heads`. */
  width: multipleOf('heads'),
  /** Blocks. */
  layers: network.blocks({ from: 1 }),
  ...network.conditionArguments(),
};

/** Arguments of {@link imageGPT}. */
export interface ImageGPTArgs extends Given<typeof declared> {}

/**
 * Image GPT: a transformer over the pixels of an image as a sequence of categories, in row order. Levels are embedded
 * and shifted by one place behind a start token ({@link RasterShift}), an embedding of the place is added
 * ({@link PlaceEmbedding}); `layers` blocks ({@link TransformerBlock}), a normalization and a linear layer without bias
 * follow. So pixels see all earlier ones. In sampling, keys and values are kept, and each pixel is computed once.
 *
 * It takes one channel: turn colour images into levels of a palette, as `choosePalette` and `toPalette` of the
 * examples do. It may be conditioned on a class, a vector, or both, which are added to the embeddings. Defaults are
 * those of GPT-2; OpenAI's Image GPT has `norm: 'rms'` and `activation: 'quickGelu'`, and `loadWeights` loads its
 * weights. The smallest published, of 76 million weights, has width 512, 8 heads and 24 layers for 512 levels of 32x32.
 *
 * Kernels begin Glorot-uniform, from which small networks learn faster than from the normal distribution of GPT-2;
 * those before a sum with a block's input are divided by sqrt(2 layers), as there.
 *
 * Source: Chen et al., "Generative Pretraining from Pixels" (2020), https://cdn.openai.com/papers/Generative_Pretraining_from_Pixels_V2.pdf.
 *
 * @returns a model as {@link pixelCNN} returns, from images or [images, conditions]
 * @throws TypeError naming the argument that is missing or out of range.
 * @example
 * ```js
 * import { imageGPT, sample } from 'pixelcnn-layers';
 * const model = imageGPT({ imageShape: [8, 8, 1], levels: 17, width: 16, heads: 2, layers: 2, seed: 1 });
 * const images = await sample(model, { numImages: 2, seed: 1 });
 * console.log(images.shape); // [2, 8, 8, 1]
 * ```
 */
export function imageGPT(args: ImageGPTArgs): AutoregressiveModel {
  const what = 'imageGPT';
  const values = readArguments(what, args, declared);
  const { imageShape, levels, width, layers, heads, norm, activation, residual, dropout, seed } = values;
  const [height, columns, channels] = imageShape;
  const refuse = (wanted: string) => throwTypeError(`${what}: imageShape`, wanted, imageShape);
  if (channels !== 1) return refuse('[H, W, 1]; turn colours into the levels of a palette first');
  if (height === null || columns === null)
    return refuse('a known height and width, since each place has a vector');
  checkMemories(what, { width: [4 * width, width], levels: [levels, width], imageShape: [height, columns, width] }); // biome-ignore format: one line
  const { image, inputs, conditions } = network.networkInputs(what, values, width);
  const part = (name: string) => ({ name, seed: partSeed(seed, name) });
  const normalization = { imageChannels: 1, norm, center: norm === 'layer', epsilon: 1e-5 };

  const embedded = levelEmbedding({ ...part('levels'), levels, units: width }).apply(image); // [N,H,W,1] -> [N,H,W,F]
  const earlier = rasterShift(part('shift')).apply(embedded); // [N,H,W,F], as all to the last layer
  const placed = placeEmbedding(part('places')).apply([earlier, ...conditions]);
  let x = pixelDropout({ ...part('dropout'), rate: dropout }).apply(placed);
  const block = { heads, norm, activation, residual, dropout, initialScale: 1 / Math.sqrt(2 * layers) };
  for (let index = 0; index < layers; index++)
    x = transformerBlock({ ...part(`block${index}`), ...block }).apply(x);
  const normal = pixelNormalization({ name: 'norm', ...normalization }).apply(x);
  const last = { ...part('final_conv'), filters: levels, kernelSize: 1, shift: 'downRight', useBias: false } as const; // biome-ignore format: one line
  const head = network.outputLayer({ imageShape, levels, output: 'softmax' });
  const outputs = head.layer.apply(shiftedConv2d(last).apply(normal)); // [N,H,W,F] -> [N,H,W,L] -> [N,H,W,1,L]
  return autoregressiveModel({ inputs, outputs, name: values.name });
}
