import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compress, decompress, readPortable } from 'pixelcnn-layers/runtime';
import { expect, it } from 'vitest';
import { npyOf } from '../../kit/weights/npy.mjs';
import { startScript } from '../examples/run-script';
import { temporaryFolder } from '../support/node/temporary-folder';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

/** Runs a program on images, which train and test networks for two steps. Gives what it has written. */
async function run(program: string, images: Uint8Array, shape: number[], file: string): Promise<Buffer> {
  for (const name of ['train', 'test']) await writeFile(at(`${name}.npy`), npyOf(images, shape));
  const { ended } = startScript(program, ['--data', folder, '--out', at('run'), '--steps', '2']);
  expect(await ended).toMatchObject({ code: 0, stderr: '' });
  return readFile(at(`run/${file}`));
}

it('each way of drawing a picture gives probabilities to all pictures of 2x2 that sum to 1', async () => {
  const all = Uint8Array.from({ length: 16 * 4 }, (_, i) => (Math.floor(i / 4) >> (i % 4)) & 1); // [16,2,2]
  const nats: Record<string, number[]> = JSON.parse(`${await run('research/multi-scale/compare.mjs', all, [16, 2, 2], 'nats.json')}`);
  expect(Object.keys(nats)).toEqual(['pixel by pixel', 'pixel by pixel, smaller', 'four pixels at a place', 'two scales']);
  for (const ofWay of Object.values(nats)) expect(ofWay.reduce((sum, x) => sum + Math.exp(-x), 0)).toBeCloseTo(1, 5);
});

it('a network of photographs compresses images of any size', async () => {
  const ramps = Uint8Array.from(
    { length: 16 * 8 * 8 * 3 },
    (_, i) => 2 * ((i / 3) % 8) + ((i / 24) % 8) + (i % 3) + 9 * Math.floor(i / 192),
  ); // [16,8,8,3]
  const model = readPortable(await run('research/photographs/train.mjs', ramps, [16, 8, 8, 3], 'photographs.pixelcnn'));
  const images = { data: ramps.subarray(0, 5 * 9 * 3), shape: [1, 5, 9, 3] };
  expect((await decompress(model, await compress(model, images))).data).toEqual(images.data);
});
