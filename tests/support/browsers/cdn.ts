import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));

/** The addresses of tfjs on the CDN that the docs name. */
export const CDN = 'https://cdn.jsdelivr.net/';

/** What the CDN answers: its files are those that are installed here, of the same version. */
export async function answerOfCdn(url: string) {
  const [, name = '', version, file = ''] = /\/npm\/(@tensorflow\/[\w-]+)@([\d.]+)\/(.*)/.exec(url) ?? [];
  const { version: ours } = JSON.parse(await readFile(join(modules, name, 'package.json'), 'utf8'));
  if (version !== ours) return { status: 404 };
  return {
    status: 200,
    body: await readFile(join(modules, name, file)),
    contentType: file.endsWith('.wasm') ? 'application/wasm' : 'text/javascript',
    headers: { 'Access-Control-Allow-Origin': '*' },
  };
}
