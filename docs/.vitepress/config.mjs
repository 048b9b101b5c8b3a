import { defineConfig } from 'vitepress';
import { BASE, makeRelocatable } from './relocatable.mjs';

const isBuilt = process.argv.includes('build');

/** Pages of a folder, in reading order, by their titles. */
const pages = (folder, titles) =>
  Object.entries(titles).map(([name, text]) => ({ text, link: `/${folder}/${name}` }));

export default defineConfig({
  title: 'pixelcnn-layers',
  description: 'Exact, fast autoregressive image models for TensorFlow.js',
  outDir: '../site',
  base: isBuilt ? BASE : '/',
  srcExclude: ['**/README.md'],
  buildEnd: ({ outDir }) => makeRelocatable(outDir),
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    sidebar: [
      {
        text: 'Learn',
        items: pages('learn', {
          'what-is-a-pixelcnn': 'What is a PixelCNN?',
          'getting-started': 'Getting started',
          'your-own-pictures': 'Your own pictures',
        }),
      },
      {
        text: 'Do',
        items: pages('guides', {
          train: 'Train',
          save: 'Save and load',
          sample: 'Sample',
          complete: 'Complete and constrain',
          score: 'Score',
          compress: 'Compress',
          deploy: 'Deploy without tfjs',
          codes: 'Model the codes of a VQ-VAE',
          distributions: 'Choose or make a distribution',
          'make-a-layer': 'Make a layer',
          'bring-weights': 'Bring weights from elsewhere',
          'a-strangers-checkpoint': 'A checkpoint from a stranger',
          'from-keras': 'Coming from Keras',
          'from-pytorch': 'Coming from PyTorch',
        }),
      },
      {
        text: 'Look up',
        items: pages('reference', {
          models: 'Models',
          masks: 'Masks',
          encodings: 'Intensities and categories',
          backends: 'Backends',
          typescript: 'TypeScript',
          'codec-format': 'The compressed format',
          glossary: 'Glossary',
          troubleshooting: 'Troubleshooting and questions',
          papers: 'Papers',
        }),
      },
      {
        text: 'Results',
        items: pages('results', {
          index: 'Results',
          benchmarks: 'Benchmarks',
          comparison: 'Comparison',
          'the-blog': 'What differs from the blog',
        }),
      },
    ],
  },
});
