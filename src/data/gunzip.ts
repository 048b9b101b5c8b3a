import { checkBytes } from '../runtime/core/check';

/**
 * Decompresses gzip, by DecompressionStream. Bytes that do not start with gzip's 1f 8b, as no IDX or CIFAR-10 file
 * does, are returned unchanged, since a browser may have decompressed a `.gz` file during the download.
 *
 * Source: RFC 1952.
 *
 * @param bytes a whole file
 * @throws TypeError (rejects) if `bytes` is not a Uint8Array; Error (rejects) if the data are damaged or truncated.
 * @example
 * ```js
 * import { gunzip } from 'pixelcnn-layers/data';
 * const stream = new Blob([Uint8Array.of(1, 2, 3)]).stream().pipeThrough(new CompressionStream('gzip'));
 * const compressed = new Uint8Array(await new Response(stream).arrayBuffer());
 * console.log(Array.from(await gunzip(compressed))); // [1, 2, 3]
 * ```
 */
export async function gunzip(bytes: Uint8Array): Promise<Uint8Array> {
  checkBytes('gunzip: bytes', bytes);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    // A copy, since a Blob takes no shared memory.
    const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (cause) {
    const problem = `cannot decompress these ${bytes.length} bytes of gzip: ${(cause as Error).message}`;
    throw new Error(`gunzip: bytes: ${problem}`, { cause });
  }
}
