import { type AutoregressiveModel, imageGPT } from 'pixelcnn-layers';
import square from '../../golden/image-gpt/openai_square.json';
import wide from '../../golden/image-gpt/openai_wide.json';
import teddykoker from '../../golden/image-gpt/teddykoker.json';
import { withGoldenWeights } from './files';

const openAI = { from: 'openai/image-gpt', norm: 'rms', activation: 'quickGelu' } as const;

/** What public PyTorch implementations of Image GPT give, by name. */
export const goldenGPTs = [
  { name: 'openai_square', options: openAI, ...square },
  { name: 'openai_wide', options: openAI, ...wide },
  { name: 'teddykoker', options: { from: 'teddykoker/image-gpt', residual: 'normalized' } as const, ...teddykoker },
];

/** The network with its weights. */
export async function goldenGPT({ name, options, config }: (typeof goldenGPTs)[number]): Promise<AutoregressiveModel> {
  const { from, ...kind } = options;
  const imageShape = config.imageShape as [number, number, number];
  return withGoldenWeights(imageGPT({ ...config, ...kind, imageShape }), `image-gpt/${name}`, { from });
}
