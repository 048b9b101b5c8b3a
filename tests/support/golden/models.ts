import { type AutoregressiveModel, pixelCNN } from 'pixelcnn-layers';
import colour from '../../golden/model.json';
import gray from '../../golden/model_gray.json';
import grayAdam from '../../golden/model_gray-adam.json';
import grayGrads from '../../golden/model_gray-grads.json';
import grayLogits0 from '../../golden/model_gray-logits.0.json';
import grayLogits1 from '../../golden/model_gray-logits.1.json';
import grayCdf from '../../golden/model_gray-sample-cdf.json';
import grayGreedy from '../../golden/model_gray-sample-greedy.json';
import colourAdam from '../../golden/model-adam.json';
import colourGrads from '../../golden/model-grads.json';
import colourLogits0 from '../../golden/model-logits.0.json';
import colourLogits1 from '../../golden/model-logits.1.json';
import colourCdf from '../../golden/model-sample-cdf.json';
import colourGreedy from '../../golden/model-sample-greedy.json';
import { type GoldenArray, golden } from '../tensors';

interface GoldenModel {
  name: string;
  model: {
    config: { hidden_dim: number; out_dim: number; n_layers: number; levels: number; first_kernel: number[] };
    images: GoldenArray;
    weights: Record<string, GoldenArray>;
    loss_nats: number;
    bits_per_dim: number;
    nll_bits_per_image: number[];
  };
  logits: number[];
  grads: Record<string, GoldenArray>;
  adam: { losses_nats: number[]; final_weight_sum_abs_change: Record<string, number> };
  greedy: { first_value: number[]; image: GoldenArray };
  cdf: { traces: { first_value: number[] | null; u: GoldenArray; image: GoldenArray }[] };
}

const logitsOf = (...parts: { logits: GoldenArray }[]) => parts.flatMap(({ logits }) => logits.data);
const ofColour = { model: colour, logits: logitsOf(colourLogits0, colourLogits1), grads: colourGrads.grads };
const ofGray = { model: gray, logits: logitsOf(grayLogits0, grayLogits1), grads: grayGrads.grads };

export const goldenModels: GoldenModel[] = [
  { name: 'three channels, 256 levels', ...ofColour, adam: colourAdam, greedy: colourGreedy, cdf: colourCdf },
  { name: 'one channel, 17 levels', ...ofGray, adam: grayAdam, greedy: grayGreedy, cdf: grayCdf },
];

/** The reference's network with the reference's weights. */
export function buildGolden({ model: { config, images, weights } }: GoldenModel): AutoregressiveModel {
  const model = pixelCNN({
    imageShape: images.shape.slice(1) as [number, number, number],
    levels: config.levels,
    hiddenDim: config.hidden_dim,
    outDim: config.out_dim,
    numBlocks: config.n_layers,
    firstKernelSize: config.first_kernel as [number, number],
  });
  const values = Object.values(weights).map((array) => golden(array));
  model.setWeights(values);
  for (const value of values) value.dispose();
  return model;
}
