import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAst } from 'vite';

// VitePress builds a site for one address. This makes the files work at any: built with BASE as the base, each page
// then finds out where it is, and strings with BASE in scripts are replaced when they run.

/** The base that a site is built with. */
export const BASE = '/__BASE__/';

/** Finds the site's address, relative to the page, and puts it wherever the server-rendered page has BASE. */
const pageScript = (toRoot) => `window.__BASE__=new URL(${JSON.stringify(toRoot)},location.href).pathname`;

/**
 * In the server-rendered page, makes addresses absolute: a page that is navigated to by script keeps links that do not
 * change, and these would then be relative to another page.
 */
const absoluteLinks = `for(const name of['href','src'])for(const element of document.querySelectorAll('['+name+']'))if(!element.getAttribute(name).startsWith('#'))element.setAttribute(name,element[name])`;

/** Makes what VitePress wrote into a folder work at any address. */
export async function makeRelocatable(folder) {
  const names = await readdir(folder, { recursive: true });
  const rewrite = async (name, change) => {
    const path = join(folder, name);
    const text = await readFile(path, 'utf8');
    if (text.includes(BASE)) await writeFile(path, change(text, name));
  };
  for (const name of names) {
    if (name.endsWith('.html')) await rewrite(name, relocatablePage);
    if (name.endsWith('.css'))
      await rewrite(name, (text) => text.replaceAll(BASE, '../'.repeat(depthOf(name)) || './'));
    if (name.endsWith('.js')) await rewrite(name, relocatableScript);
  }
}

const depthOf = (name) => name.split(/[\\/]/).length - 1;

function relocatablePage(html, name) {
  const toRoot = '../'.repeat(depthOf(name)) || './';
  return html
    .replace(String.raw`\"base\":\"${BASE}\"`, String.raw`\"base\":\""+__BASE__+"\"`)
    .replaceAll(BASE, toRoot)
    .replace('<head>', `<head><script>${pageScript(toRoot)}</script>`)
    .replace('</body>', `<script>${absoluteLinks}</script></body>`);
}

/** Replaces BASE in each string, when the script runs. */
function relocatableScript(code) {
  const strings = [];
  visit(parseAst(code), (node) => {
    const isString = node.type === 'Literal' || node.type === 'TemplateLiteral';
    if (!isString || !code.slice(node.start, node.end).includes(BASE)) return true;
    strings.push(node);
    return false;
  });
  for (const { start, end } of strings.sort((a, b) => b.start - a.start))
    code = `${code.slice(0, start)}(${code.slice(start, end)}).replaceAll(${JSON.stringify(BASE)},__BASE__)${code.slice(end)}`;
  return code;
}

function visit(node, enter) {
  if (!enter(node)) return;
  for (const child of Object.values(node)) {
    for (const one of Array.isArray(child) ? child : [child])
      if (typeof one?.type === 'string') visit(one, enter);
  }
}
