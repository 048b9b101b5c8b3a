import { callback, checked, type Given, optional, optionalSignal, readArguments } from '../core/arguments';
import { throwTypeError } from '../core/check';
import { reportProgress } from '../core/progress';
import { parsePortable, readOptions } from './file';
import type { PortableModel } from './program';
import { joined } from './safetensors';

/** How much of a file has arrived. */
export interface LoadProgress {
  /** Bytes, as they are in memory. */
  readonly loaded: number;
  /** Bytes in all, or null if the server does not say, or packs the file. */
  readonly total: number | null;
}

const loadOptions = {
  ...readOptions,
  /** Called as the file arrives, and once it is whole. May return a promise, which is awaited. */
  onProgress: optional(callback<(progress: LoadProgress) => unknown>()),
  /** Aborts loading. */
  signal: optionalSignal(),
  /**
   * The name of a cache of the page, in which the file is kept once it has been checked, and from which it is taken the
   * next time, also without network. Without effect where there is none: in Node, or without HTTPS. @default not kept
   */
  cache: optional(checked<string>(checkName)),
};

/** Options of {@link loadPortable}. */
export interface LoadPortableOptions extends Given<typeof loadOptions> {}

/**
 * Loads a model from a file of `writePortable`, and checks everything in it as `readPortable` does.
 *
 * @param from a URL; in Node also one of a file, or a path
 * @throws (rejects) TypeError naming the invalid option; Error if the file is not there, or states what is wrong with it; the
 * signal's reason, if it aborts
 * @example
 * ```js
 * import { loadPortable, sample } from 'pixelcnn-layers/runtime';
 * const model = await loadPortable('models/digits.pixelcnn'); // in a page its URL
 * const { shape } = await sample(model, { seed: 1 });
 * console.log(shape); // [1, 8, 8, 1]
 * ```
 */
export async function loadPortable(
  from: string | URL | Request,
  options: LoadPortableOptions = {},
): Promise<PortableModel> {
  const { cache: name, onProgress, signal, maxValues } = readArguments('loadPortable', options, loadOptions);
  const isRequest = typeof (from as Partial<Request> | null)?.url === 'string';
  if (typeof from !== 'string' && !(from instanceof URL) && !isRequest)
    throwTypeError('loadPortable', 'a URL', from);
  const what = `loadPortable: ${isRequest ? (from as Request).url : from}`;

  const receive = (response: Response) =>
    bytesOf(response, async (loaded, total) => {
      signal?.throwIfAborted();
      if (onProgress) await reportProgress(onProgress, { loaded, total }, signal);
    });

  const cache = name === undefined ? undefined : await globalThis.caches?.open(name);
  const kept = await cache?.match(from);
  if (kept) {
    const bytes = await receive(kept);
    try {
      return parsePortable(what, bytes, maxValues);
    } catch {
      // A file that cannot be read, such as one of another version, is loaded anew.
    }
  }
  const response = await responseTo(from, signal).catch((cause) => {
    signal?.throwIfAborted();
    const problem = PROBLEMS[cause.code] ?? cause.cause?.message ?? cause.message;
    throw new Error(`${what}: ${problem}`, { cause });
  });
  if (!response.ok)
    throw new Error(`${what}: the server answers ${response.status} ${response.statusText}`.trim());
  const bytes = await receive(response);
  const model = parsePortable(what, bytes, maxValues);
  await cache?.put(from, new Response(bytes)).catch(() => {}); // where there is room
  return model;
}

/** What is wrong with a file, by Node's code. */
const PROBLEMS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EISDIR: 'wanted a file of writePortable, got a directory; loadModel loads a saved model',
};

/** Modules of Node, where it is Node: bundles for pages must not name them. */
const { process } = globalThis as unknown as { process?: { getBuiltinModule?(name: string): never } };

/** What a server answers, or a file of Node's. */
async function responseTo(from: string | URL | Request, signal: AbortSignal | undefined): Promise<Response> {
  const isFile =
    from instanceof URL
      ? from.protocol === 'file:'
      : typeof from === 'string' && /^file:|^(?!\w{2,}:)/.test(from);
  if (!isFile || globalThis.location !== undefined || !process?.getBuiltinModule)
    return fetch(from, signal ? { signal } : {});
  const files: { readFile(path: string | URL, options: object): Promise<Uint8Array<ArrayBuffer>> } =
    process.getBuiltinModule('node:fs/promises');
  const path = String(from).startsWith('file:') ? new URL(from as string) : (from as string);
  const bytes = await files.readFile(path, { signal });
  return new Response(bytes, { headers: { 'content-length': `${bytes.length}` } });
}

/** All bytes of a response, as they arrive. */
async function bytesOf(
  { body, headers }: Response,
  onProgress: (loaded: number, total: number | null) => Promise<void>,
): Promise<Uint8Array<ArrayBuffer>> {
  const length = headers.get('content-encoding') === null ? headers.get('content-length') : null; // else of the packed file
  const total = length === null ? null : Number(length);
  const parts: Uint8Array[] = [];
  let loaded = 0;
  const reader = body?.getReader();
  try {
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      if (done) break;
      parts.push(value);
      loaded += value.length;
      await onProgress(loaded, total);
    }
    await onProgress(loaded, loaded);
  } catch (error) {
    reader?.cancel().catch(() => {}); // or the rest would still be sent
    throw error;
  }
  return joined(parts);
}

function checkName(what: string, name: unknown): string {
  if (typeof name !== 'string' || name === '') throwTypeError(what, 'the name of a cache', name);
  return name as string;
}
