import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { normalizePath, parseAst } from 'vite';

// Blocks marked ```js run have a button that runs them in the page. Each is a module that is loaded when it is pressed.

const docs = fileURLToPath(new URL('..', import.meta.url));
const dist = fileURLToPath(new URL('../../dist/', import.meta.url));
const ALL = 'virtual:examples';
const ONE = 'virtual:example/';

const isRunnable = (info) => info.trim().split(/\s+/).includes('run');
const idOf = (code) => createHash('sha256').update(code.trim()).digest('hex').slice(0, 8);

/** For markdown-it: puts a runnable block into the component that runs it. */
export function addRunButtons({ renderer: { rules } }) {
  const { fence } = rules;
  rules.fence = (tokens, index, ...rest) => {
    const { info, content } = tokens[index];
    const block = fence(tokens, index, ...rest);
    return isRunnable(info) ? `<RunnableCode id="${idOf(content)}">${block}</RunnableCode>` : block;
  };
}

/** For Vite: the module of all runnable blocks, `{ [id]: () => import(…) }`, and the module of each. */
export const runnableExamples = () => ({
  name: 'runnable-examples',
  resolveId: (id) => (id.startsWith('virtual:example') ? `\0${id}` : undefined),
  async load(id) {
    if (id === `\0${ALL}`) {
      const entries = [...(await readExamples()).keys()].map(
        (one) => `'${one}': () => import('${ONE}${one}')`,
      );
      return `export default { ${entries.join(', ')} };`;
    }
    if (id.startsWith(`\0${ONE}`)) return asModule((await readExamples()).get(id.slice(1 + ONE.length)));
  },
});

/** Where the library's entries are, as built. */
export const libraryAliases = [
  { find: /^pixelcnn-layers$/, replacement: join(dist, 'index.js') },
  ...['runtime', 'data', 'weights'].map((entry) => ({
    find: new RegExp(`^pixelcnn-layers/${entry}$`),
    replacement: join(dist, entry, 'index.js'),
  })),
];

async function readExamples() {
  const names = (await readdir(docs, { recursive: true })).filter((name) => /^[^.].*\.md$/.test(name));
  const pages = await Promise.all(names.map((name) => readFile(join(docs, name), 'utf8')));
  const blocks = pages.flatMap((page) => [...page.matchAll(/^```js([^\n]*)\n(.*?)^```$/gms)]);
  return new Map(blocks.filter(([, info]) => isRunnable(info)).map(([, , code]) => [idOf(code), code]));
}

const pathOf = (url) => normalizePath(fileURLToPath(url)); // backslashes would be escapes

/** What stands in the page for modules that run in Node: wasm whose binaries Vite has copied, and a place in the browser's database. */
const IN_THE_PAGE = {
  '@tensorflow/tfjs-backend-wasm': pathOf(new URL('../../examples/vite/wasm.mjs', import.meta.url)),
  'pixelcnn-layers/node': pathOf(new URL('theme/file-system.mjs', import.meta.url)),
};

/** Imports stay where they are; the rest becomes a function, which can run again, and shows the pictures that it makes. */
function asModule(code) {
  const { body } = parseAst(code);
  const imports = body.filter(({ type }) => type === 'ImportDeclaration');
  const rest = imports.reduceRight((text, { start, end }) => text.slice(0, start) + text.slice(end), code);
  const hasTensors = imports.some(({ source }) => source.value === 'pixelcnn-layers');
  const lines = imports.map(({ start, end, source: { value } }) =>
    code
      .slice(start, end)
      .replace(`'${value}'`, `'${IN_THE_PAGE[value] ?? value}'`)
      .replace(/\bpicture\b/, 'picture as made'),
  );
  const hasPicture = lines.some((line) => line.includes('picture as made'));
  return [
    ...(hasTensors ? ["import '@tensorflow/tfjs-backend-cpu';"] : []),
    ...lines,
    'export default async (show) => {',
    ...(hasPicture
      ? [
          'const picture = (...args) => {',
          '  const sheet = made(...args);',
          '  show(sheet);',
          '  return sheet;',
          '};',
        ]
      : []),
    `${rest.replaceAll(/^export /gm, '')}\n};`,
  ].join('\n');
}
