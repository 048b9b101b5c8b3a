import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NamedTensor } from 'pixelcnn-layers/weights';
import { docBlocks } from './doc-blocks';

/** `grouped` of docs/guides/a-strangers-checkpoint.md. */
export type Grouped = (tensor: NamedTensor, axis: number, channels: number, isGate?: boolean) => NamedTensor;

/** A function that a block of the docs exports, as it stands on the page. */
export async function pageFunction<F>(name: string): Promise<F> {
  const block = (await docBlocks()).find(({ code }) => code.includes(`export function ${name}(`));
  const folder = await mkdtemp(join(fileURLToPath(new URL('.', import.meta.url)), '.block-'));
  try {
    const file = join(folder, `${name}.mjs`);
    await writeFile(file, block?.code ?? '');
    return (await import(/* @vite-ignore */ file))[name];
  } finally {
    await rm(folder, { recursive: true });
  }
}
