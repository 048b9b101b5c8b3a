// What the tests use of the benchmarks, which are plain JavaScript.

declare module '*/lib/networks.mjs' {
  import type { Tensor } from '@tensorflow/tfjs-core';
  import type { AutoregressiveModel } from 'pixelcnn-layers';

  interface Shape {
    imageShape: [number, number, number];
    levels: number;
    hiddenDim: number;
    outDim: number;
    numBlocks: number;
  }
  export const shapes: Record<string, Shape>;
  export const ours: (shape: Shape) => AutoregressiveModel;
  export const stock: (shape: Shape) => AutoregressiveModel;
  export const plain: (shape: Shape) => AutoregressiveModel;
  export function randomBatch(shape: Shape, batch: number): { xs: Tensor; labels: Tensor };
}

declare module '*/lib/code-maps.mjs' {
  import type { ImageSet } from 'pixelcnn-layers/data';

  export const codeMapEntropy: number;
  export function codeMaps(count: number, seed: string): ImageSet;
}

declare module '*/lib/train-in-turn.mjs' {
  import type { AutoregressiveModel } from 'pixelcnn-layers';
  import type { ImageSet } from 'pixelcnn-layers/data';

  export function trainInTurn(
    models: Record<string, AutoregressiveModel>,
    sets: { train: ImageSet; test: ImageSet },
    options: { steps: number; batchSize: number; learningRate: number; seed: number; evalImages: number },
  ): Promise<Record<string, { bits: number; step: { median: number; rounds: number } }>>;
}
