import type { PortableModel } from 'pixelcnn-layers/runtime';

export function portableModel(shape?: {
  imageShape?: [number | null, number | null, number];
  levels?: number;
  features?: number;
  blocks?: number;
  numClasses?: number;
  mapSize?: number;
}): PortableModel;
