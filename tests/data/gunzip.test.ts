import fc from 'fast-check';
import { gunzip } from 'pixelcnn-layers/data';
import { describe, expect, it } from 'vitest';
import { forAllAsync } from '../support/runs';

async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** What decompressing damaged bytes ends with: the contents all the same, or the error. */
async function expectSameOrError(damaged: Uint8Array, contents: Uint8Array) {
  try {
    expect(await gunzip(damaged)).toEqual(contents);
  } catch (error) {
    expect((error as Error).message).toMatch(/^gunzip: bytes: cannot decompress these \d+ bytes of gzip: ./);
  }
}

const contents = Uint8Array.from({ length: 2000 }, (_, i) => (i * i) % 97);

describe('gunzip', () => {
  it('reads back what was compressed', () =>
    forAllAsync([fc.uint8Array({ maxLength: 5000 })], { numRuns: 10, seed: 1 }, async (bytes) => {
      expect(await gunzip(await gzip(bytes))).toEqual(bytes);
    }));

  it('reads a file of the gzip program, in which its name is', async () => {
    // printf 0123 > digits; gzip digits
    const hex = '1f8b0808b6f0056b0003646967697473003330343206007d9d66a604000000';
    const file = Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
    expect(new TextDecoder().decode(await gunzip(file))).toBe('0123');
  });

  it('reads several megabytes, from within a larger buffer', async () => {
    const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i >> 7) % 251);
    const compressed = await gzip(bytes);
    const larger = new Uint8Array(compressed.length + 20);
    larger.set(compressed, 7);
    const read = await gunzip(larger.subarray(7, 7 + compressed.length));
    expect(read.length).toBe(bytes.length);
    expect(read.every((value, i) => value === bytes[i])).toBe(true);
  });

  it('returns bytes that are not gzip unchanged', async () => {
    for (const bytes of [[], [0x1f], [0, 0, 8, 1], [0x8b, 0x1f], [0x1f, 0x8c, 8]]) {
      const file = Uint8Array.from(bytes);
      expect(await gunzip(file)).toBe(file);
    }
  });

  it('rejects a truncated file, wherever it is cut', async () => {
    const compressed = await gzip(contents);
    for (let length = 2; length < compressed.length; length += length < 20 ? 1 : 13) {
      const message = `gunzip: bytes: cannot decompress these ${length} bytes of gzip: `;
      await expect(gunzip(compressed.subarray(0, length))).rejects.toThrow(message);
    }
  });

  it('rejects damaged bytes, or does not need them', async () => {
    const compressed = await gzip(contents);
    const place = fc.integer({ min: 2, max: compressed.length - 1 });
    await forAllAsync([place, fc.integer({ min: 1, max: 255 })], { numRuns: 40, seed: 1 }, async (at, change) => {
      const damaged = Uint8Array.from(compressed);
      damaged[at] = (damaged[at] as number) ^ change;
      await expectSameOrError(damaged, contents);
    });
    const last = Uint8Array.from(compressed);
    last[last.length - 8] = (last[last.length - 8] as number) ^ 1; // of the checksum
    await expect(gunzip(last)).rejects.toThrow('gunzip: bytes: cannot decompress');
  });

  it('rejects anything but bytes', async () => {
    await expect(gunzip('file.gz' as unknown as Uint8Array)).rejects.toThrow("gunzip: bytes: wanted a Uint8Array, got 'file.gz'");
  });
});
