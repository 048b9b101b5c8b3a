import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';
import * as packed from '../../scripts/lib/packed-programs.mjs';
import { checkedQuickStart } from '../../scripts/lib/quick-start.mjs';
import { type DocBlock, docBlocks } from '../support/docs/doc-blocks';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * What `strict` finds in JavaScript as it stands: parameters and fields without a type, which a reader adds who writes
 * TypeScript. Nothing else is left out.
 */
const UNANNOTATED = new Map([[7006, 'parameter'], [7008, 'field'], [7019, 'rest parameter'], [7031, 'parameter that is taken apart']]); // biome-ignore format: rows

/**
 * What blocks find in a page: the globals of script tags, Vite's addresses of files, and a function of the reader's own;
 * and a package that has no types.
 */
const OF_PAGES = `
  declare const tf: typeof import('@tensorflow/tfjs-core') & typeof import('@tensorflow/tfjs-layers') & {
    wasm: typeof import('@tensorflow/tfjs-backend-wasm');
  };
  declare const pixelcnn: typeof import('pixelcnn-layers');
  declare module '*?url' {
    const address: string;
    export default address;
  }
  declare function draw(levels: ArrayLike<number>): void;
  declare module 'pngjs';
`;

/** As a reader's own project may have them; the library's own are stricter. */
const entries = ['', '/node', '/data', '/weights', '/runtime'];
const options: ts.CompilerOptions = {
  ...{ strict: true, skipLibCheck: true, noEmit: true, types: ['node'], target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  ...{ moduleResolution: ts.ModuleResolutionKind.Bundler, moduleDetection: ts.ModuleDetectionKind.Force },
  lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  paths: Object.fromEntries(entries.map((entry) => [`pixelcnn-layers${entry}`, [join(root, `src${entry}/index.ts`)]])),
};

/** A block as a file of TypeScript. */
type Source = { block: DocBlock; text: string };

/** A page's own scripts, on their lines, without what is around them. */
function scriptsOf(html: string): string {
  const scripts = [...html.matchAll(/<script(?! type="importmap")[^>]*>(.*?)<\/script>/gs)].map(({ index, 0: all, 1: code = '' }) => {
    const start = index + all.indexOf(code, all.indexOf('>'));
    return { start, end: start + code.length };
  });
  const isCode = (place: number) => scripts.some(({ start, end }) => place >= start && place < end);
  return [...html].map((character, i) => (isCode(i) || character === '\n' ? character : ' ')).join('');
}

/** The errors of some sources, `file:line: message` each. */
function errorsIn(sources: readonly Source[]): string[] {
  const files = new Map(sources.map((source, i) => [join(root, 'tests', `block-${i}.ts`), source]));
  const ambient = join(root, 'tests', 'of-pages.d.ts');
  const texts = new Map([[ambient, OF_PAGES], ...[...files].map(([file, { text }]) => [file, text] as const)]);
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile } = host;
  host.fileExists = (file) => texts.has(file) || fileExists(file);
  host.getSourceFile = (file, ...rest) => {
    const text = texts.get(file);
    if (text === undefined) return getSourceFile(file, ...rest);
    const isAmbient = file === ambient; // no module, so that all see its declarations
    const target = typeof rest[0] === 'object' && isAmbient ? rest[0].languageVersion : rest[0];
    return ts.createSourceFile(file, text, target);
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  return [...files].flatMap(([file, { block }]) => {
    const parsed = program.getSourceFile(file) as ts.SourceFile;
    return [...program.getSyntacticDiagnostics(parsed), ...program.getSemanticDiagnostics(parsed)]
      .filter(({ code }) => block.language === 'ts' || !UNANNOTATED.has(code))
      .map(({ start = 0, code, messageText }) => {
        const line = block.line + 1 + parsed.getLineAndCharacterOfPosition(start).line;
        return `${block.file}:${line}: TS${code}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
      });
  });
}

const blocks = await docBlocks();
const sources = blocks
  .filter(({ language }) => ['js', 'ts', 'html'].includes(language))
  .map((block) => ({ block, text: block.language === 'html' ? scriptsOf(block.code) : block.code }));

/** What `npm run check:package` runs of the packed package, long after these tests. */
const packedPrograms: Source[] = [
  ['js', checkedQuickStart()],
  ['ts', packed.ROUND_TRIP],
  ['js', packed.ONE_COPY],
  ['js', packed.BARE_IMPORT],
  ['js', packed.LOSS_NAMES],
  ['ts', packed.TYPES],
  ['ts', packed.RUNTIME_TYPES],
].map(([language = '', text = '']) => ({ block: { file: 'scripts/lib', line: 0, language, code: text, isForPage: false }, text }));

it('finds the blocks, those of pages too', () => {
  for (const language of ['js', 'ts', 'html']) {
    expect(sources.filter(({ block }) => block.language === language).length, language).toBeGreaterThan(1);
  }
});

it('has every example in README, docs and docstrings compile as TypeScript, strict, and the programs of check:package', () => {
  expect(errorsIn([...sources, ...packedPrograms])).toEqual([]);
});
