import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright';
import { createServer as createViteServer, type ViteDevServer } from 'vite';
import { PATIENCE } from '../patience.mjs';
import { chromiumArguments, chromiumPath, gpuArguments } from './chromium.mjs';

const TYPES: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};
/** With these headers a page may share memory, and tfjs would start threads. */
const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
/** With this one, a page may run only scripts of its own, and no WebAssembly. */
const STRICTNESS = { 'Content-Security-Policy': "default-src 'self'" };
const HEADERS: Record<string, Record<string, string>> = { isolated: ISOLATION, strict: STRICTNESS };

/** Serves a folder under /some/folder/, and once more, allowed to share memory, under /isolated/, and under a policy, under /strict/. */
export async function serve(folder: string): Promise<{ server: Server; origin: string }> {
  const server = createServer(async ({ url = '' }, response) => {
    const { pathname } = new URL(url, 'http://localhost');
    const [, place = '', name] = pathname.match(/^\/(some\/folder|isolated|strict)\/([\w./@~-]*)$/) ?? [];
    try {
      if (name === undefined) throw new Error(`${pathname} is not served`);
      const file = join(folder, name || 'index.html');
      const body = await readFile(file);
      response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream', ...HEADERS[place] });
      response.end(body);
    } catch (error) {
      response.writeHead(404).end(String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Vite's own server of a page, as it is edited. */
export async function serveEdited(root: string, cacheDir: string): Promise<ViteDevServer & { href: string }> {
  const server = await createViteServer({ root, cacheDir, server: { host: '127.0.0.1', port: 0 }, logLevel: 'silent' });
  await server.listen();
  return Object.assign(server, { href: server.resolvedUrls?.local[0] ?? '' });
}

const launchOptions = (args: string[]) => ({ args, timeout: PATIENCE, ...(chromiumPath && { executablePath: chromiumPath }) });

export function launchChromium({ isOnGpu = false } = {}): Promise<Browser> {
  return chromium.launch(launchOptions(isOnGpu ? gpuArguments : chromiumArguments));
}

/** A Chromium to which other processes connect, each with contexts of its own. */
export const launchChromiumForAll = () => chromium.launchServer(launchOptions(chromiumArguments));

/** What a page asks for, and what goes wrong, as the browser's console has it. */
export interface Watch {
  requests: string[];
  complaints: string[];
}

export function watch(page: Page): Watch {
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText;
    // A page that is left, or closes, drops what it has not received yet; nothing is wrong with that.
    if (reason !== 'net::ERR_ABORTED') complaints.push(`${request.url()} failed: ${reason}`);
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  return { requests, complaints };
}
