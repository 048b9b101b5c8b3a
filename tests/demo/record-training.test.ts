import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { COUNT_TENSORS, startScript } from '../examples/run-script';
import { temporaryFolder } from '../support/node/temporary-folder';

const RECORDED = fileURLToPath(new URL('../../demo/recorded-training.bits', import.meta.url));
const SAMPLES = 16 * 64; // pixels of a network at a step

interface Header {
  networks: string[];
  curves: { training: [number, number][]; test: [number, number][] }[];
  steps: number[];
}

async function readRecord(file: string) {
  const packed = await readFile(file);
  const bytes = gunzipSync(packed);
  const end = bytes.indexOf('\n');
  const header = JSON.parse(bytes.subarray(0, end).toString()) as Header;
  return { packed, header, pixels: bytes.subarray(end + 1) };
}

/** What each record has, whatever the number of its steps. */
function expectWhole({ header, pixels }: Awaited<ReturnType<typeof readRecord>>) {
  const { steps, networks, curves } = header;
  expect(header).toMatchObject({ set: 'digits', shape: [8, 8, 1], levels: 17, width: 24, depth: 3 });
  expect(networks).toEqual(['plain', 'gated']);
  expect(steps[0]).toBe(0);
  expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
  expect(pixels.length).toBe(steps.length * networks.length * SAMPLES);
  expect(curves.length).toBe(networks.length);
  for (const { test } of curves) expect(test.map(([step]) => step)).toEqual(steps);
}

describe('a recorded run', () => {
  const folder = temporaryFolder();

  it('is written by its script, which leaves no tensors', async () => {
    const file = join(folder, 'run.bits');
    const { ended } = startScript('demo/record-training.mjs', ['5', file], COUNT_TENSORS);
    expect(await ended).toMatchObject({ code: 0, stderr: 'tensors left: 0\n' });
    const record = await readRecord(file);
    expectWhole(record);
    expect(record.header.steps).toEqual([0, 1, 2, 3, 4, 5]);
    for (const { training } of record.header.curves) expect(training.map(([step]) => step)).toEqual([5]);
  });

  it('of the page is one of 3,044 steps, in at most 30 kB, from noise to digits', async () => {
    const record = await readRecord(RECORDED);
    expectWhole(record);
    const { steps, curves } = record.header;
    expect([steps.length, steps.at(-1)]).toEqual([27, 3044]);
    expect(record.packed.length).toBeLessThan(30_000);
    for (const { test } of curves) expect([test[0]?.[1], test.at(-1)?.[1]]).toEqual([expect.closeTo(4.1, 0), expect.closeTo(1.8, 1)]);
  });
});
