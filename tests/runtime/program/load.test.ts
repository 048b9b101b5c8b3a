import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { loadPortable, type PortableModel, readPortable, writePortable } from 'pixelcnn-layers/runtime';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { portableModel } from '../../support/models/portable-model.mjs';
import { listening } from '../../support/node/listening.mjs';
import { temporaryFolder } from '../../support/node/temporary-folder';

const file = writePortable(portableModel({ imageShape: [9, 9, 1], levels: 64 }));
const plain = (model: PortableModel) => ({ ...model, weights: [...model.weights] });
const wanted = plain(readPortable(file));

/** What the server answers, by path. */
const answers: Record<string, () => [body: Uint8Array | string, status?: number, headers?: Record<string, string>]> = {
  '/model': () => [file],
  '/packed': () => [gzipSync(file), 200, { 'content-encoding': 'gzip' }],
  '/page': () => ['<html>'],
  '/none': () => ['', 404],
};
let requests: string[] = [];
let server: Awaited<ReturnType<typeof listening>>;
let origin: string;
const folder = temporaryFolder();
beforeAll(async () => {
  server = await listening((request, response) => {
    requests.push(request.url as string);
    const [body, status = 200, headers = {}] = (answers[request.url as string] as (typeof answers)[string])();
    response.writeHead(status, { 'content-length': body.length, ...headers }).end(body);
  });
  origin = server.address.slice(0, -1);
  await writeFile(join(folder, 'a model.pixelcnn'), file);
});
afterAll(() => server.close());
afterEach(() => {
  requests = [];
  vi.unstubAllGlobals();
});

it.each<[string, () => string | URL | Request]>([
  ['a URL', () => `${origin}/model`],
  ['a URL object', () => new URL('/model', origin)],
  ['a request', () => new Request(`${origin}/model`)],
  ['a packed file', () => `${origin}/packed`],
  ["a file's URL", () => pathToFileURL(join(folder, 'a model.pixelcnn'))],
  ["a file's URL as text", () => pathToFileURL(join(folder, 'a model.pixelcnn')).href],
  ['a path', () => join(folder, 'a model.pixelcnn')],
])('loads %s', async (_, from) => {
  expect(plain(await loadPortable(from()))).toEqual(wanted);
});

it.each([
  ['/model', file.length],
  ['/packed', null], // the length that the server states is of the packed bytes
])('reports how much of %s has arrived, and of how much', async (path, total) => {
  const progress: { loaded: number; total: number | null }[] = [];
  await loadPortable(origin + path, { onProgress: (one) => progress.push(one) });
  expect(progress.at(-1)).toEqual({ loaded: file.length, total: file.length });
  for (const one of progress.slice(0, -1)) expect(one.total).toBe(total);
  for (const [i, { loaded }] of progress.slice(1).entries())
    expect(loaded).toBeGreaterThanOrEqual((progress[i] as { loaded: number }).loaded);
});

it('keeps a file in a cache of the page once it is checked, and takes it from there', async () => {
  const kept = new Map<string, Response>();
  const cache = {
    match: async (from: string) => kept.get(from)?.clone(),
    put: async (from: string, response: Response) => void kept.set(from, response),
  };
  const open = vi.fn(async () => cache);
  vi.stubGlobal('caches', { open });
  const [address, page] = [`${origin}/model`, `${origin}/page`];

  await expect(loadPortable(page, { cache: 'models' })).rejects.toThrow('wanted a file of writePortable');
  expect(kept.size).toBe(0);
  for (let time = 0; time < 2; time++) expect(plain(await loadPortable(address, { cache: 'models' }))).toEqual(wanted);
  expect(requests).toEqual(['/page', '/model']);
  expect(open).toHaveBeenLastCalledWith('models');

  kept.set(address, new Response('of another version')); // is replaced
  expect(plain(await loadPortable(address, { cache: 'models' }))).toEqual(wanted);
  expect(requests).toEqual(['/page', '/model', '/model']);
  expect(new Uint8Array(await (kept.get(address) as Response).clone().arrayBuffer())).toEqual(file);

  cache.put = () => Promise.reject(new Error('no room'));
  expect(plain(await loadPortable(address, { cache: 'others' }))).toEqual(wanted);
});

it.each<[string, () => Promise<unknown>]>([
  ['/none: the server answers 404 Not Found', () => loadPortable(`${origin}/none`)],
  [
    "/page: wanted a file of writePortable, got 6 bytes that begin '<html>'; is the path or URL right?",
    () => loadPortable(`${origin}/page`),
  ],
  ['loadPortable: nowhere: there is no such file', () => loadPortable('nowhere')],
  ['loadPortable: http://127.0.0.1:9/: ', () => loadPortable('http://127.0.0.1:9/')],
  ['loadPortable: wanted a URL, got 7', () => loadPortable(7 as never)],
  ['loadPortable: cache: wanted the name of a cache, got true', () => loadPortable(origin, { cache: true as never })],
  ['at most 5', () => loadPortable(`${origin}/model`, { maxValues: 5 })],
])('refuses: %s', async (message, load) => {
  await expect(load()).rejects.toThrow(message);
});

it('ends with the reason of a signal, and with the error of a callback', async () => {
  const reason = new Error('enough');
  const ending = new AbortController();
  const onProgress = () => ending.abort(reason);
  await expect(loadPortable(`${origin}/model`, { signal: ending.signal, onProgress })).rejects.toBe(reason);
  await expect(loadPortable(`${origin}/model`, { signal: ending.signal })).rejects.toBe(reason);
  await expect(loadPortable(`${origin}/model`, { onProgress: () => Promise.reject(reason) })).rejects.toBe(reason);
});
