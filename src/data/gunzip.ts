import { checkBytes } from './image-set';

/**
 * Decompresses gzip, with the DecompressionStream that browsers and Node have. Bytes that are not gzip, by
 * their first two (1f 8b), come back as they are: a server may have a browser decompress a `.gz` on its way.
 * No IDX file and no file of CIFAR-10 begins so.
 *
 * Source: RFC 1952.
 *
 * @param bytes a whole file
 * @returns the whole contents
 * @throws TypeError (rejects) where `bytes` is no Uint8Array; Error (rejects) where the gzip is damaged or
 * truncated.
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
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`gunzip: bytes: cannot decompress these ${bytes.length} bytes of gzip: ${problem}`, {
      cause,
    });
  }
}
