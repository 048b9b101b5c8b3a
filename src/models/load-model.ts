import { type io, serialization } from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import * as layers from '../layers/index';
import { throwTypeError } from '../runtime/core/check';
import { AutoregressiveModel } from './autoregressive-model';

/**
 * Loads a saved model, with its loss, metrics and optimizer as they were saved. Registers all layers of this library,
 * which a bundler would otherwise leave out of a page that only loads.
 *
 * @param from the URL of its `model.json`; in Node `fileSystem(directory)` of `pixelcnn-layers/node`; or any handler or URL
 * that tfjs loads from, such as `indexeddb://name`
 * @param options as of tfjs's `loadLayersModel`: `onProgress`, `requestInit`, `strict` and so on
 * @throws (rejects) Error that states what is missing or damaged, or if the model has layers that are not registered or is none of
 * this library; if no backend is imported
 * @example
 * ```js
 * import { loadModel, sample } from 'pixelcnn-layers';
 * import { fileSystem } from 'pixelcnn-layers/node';
 * const model = await loadModel(fileSystem('models/digits')); // in a page loadModel('models/digits/model.json')
 * const images = await sample(model, { seed: 1 }); // int32 [1,8,8,1]
 * images.dispose();
 * model.dispose();
 * ```
 */
export async function loadModel(
  from: string | URL | io.IOHandler,
  options: io.LoadOptions = {},
): Promise<AutoregressiveModel> {
  const isHandler = typeof (from as Partial<io.IOHandler> | null)?.load === 'function';
  if (typeof from !== 'string' && !(from instanceof URL) && !isHandler)
    throwTypeError('loadModel', 'a URL, or a handler such as fileSystem(directory)', from);
  registerClasses();

  const what = isHandler ? 'loadModel' : `loadModel: ${from}`;
  const model = await loadLayersModel(from instanceof URL ? from.href : from, options).catch(
    (cause: Error) => {
      throw new Error(`${what}: ${problemOf(cause.message)}`, { cause });
    },
  );
  if (model instanceof AutoregressiveModel) return model;
  const name = model.getClassName();
  model.dispose();
  throw new Error(
    `${what}: wanted an AutoregressiveModel, got a ${name}, which loadLayersModel of tfjs loads`,
  );
}

/** Registers all classes of files, also in a bundle that leaves out what nobody imports by name. */
export function registerClasses(): void {
  for (const exported of [AutoregressiveModel, ...Object.values(layers)])
    if ('className' in exported) serialization.registerClass(exported as typeof AutoregressiveModel);
}

/** tfjs's messages about what users can mend, and ours, which say how. */
const PROBLEMS: readonly [RegExp, string][] = [
  [
    /^Unknown (?:layer|optimizer): (.*?)\. This may/,
    '$1 is not registered: if it is your own, call serialization.registerClass($1) of tfjs before',
  ],
  [
    /^No backend found in registry/,
    "wanted a backend: import '@tensorflow/tfjs-backend-cpu', or -wasm, -webgl or -webgpu",
  ],
  [
    /^Request (?:to|for) (.*?) failed (?:with status code|due to error:?)\s*(\S*?)\.? .*/,
    'the server answers $2 to $1; is the URL right?',
  ],
  [
    /^Failed to parse model JSON of response from/,
    'wanted the model.json of a saved model, got no JSON; is the URL right?',
  ],
  [
    /^Failed to parse URL from|^fetch failed/,
    "wanted a URL that a server answers; a directory is fileSystem(directory) of 'pixelcnn-layers/node'",
  ],
  [
    /^.*model\.json cannot be read: ENOTDIR/,
    'wanted the directory of a saved model, got a file; loadPortable loads a .pixelcnn',
  ],
  [
    /^Cannot find any (?:load|save) handlers for URL/,
    "wanted a URL that can be loaded here; in Node fileSystem(directory) of 'pixelcnn-layers/node'",
  ],
];

function problemOf(message: string): string {
  const [pattern, ours] = PROBLEMS.find(([pattern]) => pattern.test(message)) ?? [];
  return pattern === undefined
    ? message
    : message.replace(new RegExp(`(?:${pattern.source}).*`, 's'), ours as string);
}
