import type { AutoregressiveModel } from 'pixelcnn-layers';
import { type LoadWeightsOptions, loadWeights, readSafetensors } from 'pixelcnn-layers/weights';

/** The bytes of a file, by its path from the root, in Node or served to a browser. */
export async function bytesOf(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(/* @vite-ignore */ `../../../${path}`, import.meta.url);
  if (url.protocol !== 'file:') return new Uint8Array(await (await fetch(url)).arrayBuffer());
  const { readFile } = await import('node:fs/promises');
  return new Uint8Array(await readFile(url));
}

/** A model with the weights of a file in tests/golden. */
export async function withGoldenWeights(model: AutoregressiveModel, name: string, options: LoadWeightsOptions) {
  loadWeights(model, readSafetensors(await bytesOf(`tests/golden/${name}.safetensors`)), options);
  return model;
}
