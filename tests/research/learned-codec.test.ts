import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { checkCausality, toPortable } from 'pixelcnn-layers';
import { compress, decompress, logProb, readPortable, writePortable } from 'pixelcnn-layers/runtime';
import { type NamedTensor, readSafetensors } from 'pixelcnn-layers/weights';
import { expect, it } from 'vitest';
import { channelsLast, contextModel, loadContextModel } from '../../research/learned-codec/context-model.mjs';
import { useBackend } from '../support/backends';

const golden = fileURLToPath(new URL('../golden/learned-codec/context-model.safetensors', import.meta.url));
it("computes the likelihoods of CompressAI's context model, and codes what it is given without loss", async () => {
  await useBackend('cpu');
  const tensors = new Map(readSafetensors(await readFile(golden)));
  const take = (name: string) => {
    const tensor = tensors.get(name) as NamedTensor;
    tensors.delete(name);
    return channelsLast(tensor);
  };
  const [y, z, logP] = [take('y'), take('z'), take('log_p')];
  const model = contextModel({ height: 8, width: 8, channels: 4, levels: 64 });
  loadContextModel(model, tensors);
  expect(await checkCausality(model)).toEqual({ causal: true, leaks: [] });
  const portable = readPortable(writePortable(await toPortable(model)));
  const images = { data: Int32Array.from(y.data, (value) => value + 32), shape: y.shape };
  const nats = await logProb(portable, images, { condition: z, perValue: true });
  expect(logP.data.length).toBe(256);
  for (const [i, expected] of logP.data.entries()) expect(Math.abs((nats[i] as number) - expected)).toBeLessThan(1e-5 * Math.abs(expected));
  const read = await decompress(portable, await compress(portable, images, { condition: z }), { condition: z });
  expect(Array.from(read.data)).toEqual(Array.from(images.data));
});
