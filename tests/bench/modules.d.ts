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
