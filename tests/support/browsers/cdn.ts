import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../node/root';

/** Where a package lies, as it is installed here; our own as they are packed. */
const folderOf = (name: string) => join(root, { 'pixelcnn-layers': '', 'pixelcnn-models': 'models' }[name] ?? join('node_modules', name));

/** Whether a file is one of those that `files` of package.json names. */
const isPacked = (file: string, part: string) => new RegExp(`^${part.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}(/|$)`).test(file);

/** Where packages are on the CDN that the docs name. */
export const CDN = 'https://cdn.jsdelivr.net/';

/** What the CDN answers: its files are those that are installed here, of the same version. */
export async function answerOfCdn(url: string) {
  const [, name = '', version, file = ''] = /\/npm\/((?:@tensorflow\/)?[\w-]+)@([\d.]+)\/(.*)/.exec(url) ?? [];
  const { version: ours, files = ['dist'] } = JSON.parse(await readFile(join(folderOf(name), 'package.json'), 'utf8'));
  if (version !== ours || !files.some((part: string) => isPacked(file, part))) return { status: 404 };
  return {
    status: 200,
    body: await readFile(join(folderOf(name), file)),
    contentType: file.endsWith('.wasm') ? 'application/wasm' : 'text/javascript',
    headers: { 'Access-Control-Allow-Origin': '*' },
  };
}
