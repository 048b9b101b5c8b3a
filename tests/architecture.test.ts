import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const require = createRequire(import.meta.url);
const esbuild: { transformSync(text: string, options: object): unknown } = createRequire(require.resolve('tsup'))('esbuild'); // biome-ignore format: one line

// How src/ is built: rooms, each of which imports only from itself and from rooms above it in this list.

/** On the ground floor nothing knows of tfjs, of pages or of Node. */
const GROUND_FLOOR = ['core', 'kernels', 'distributions', 'program', 'engine', 'sampling', 'likelihood', 'codec', 'pool', 'runtime.ts', 'worker.ts']; // biome-ignore format: one line
const UPPER_FLOOR = [
  'ops',
  'layers',
  'models',
  'portable',
  'inference',
  'causality',
  'training',
  'data',
  'node',
  'weights',
  'index.ts',
  'register.ts',
  'train-worker.ts',
  'train-thread.ts',
  'script-tag.ts',
];
const ROOMS = [...GROUND_FLOOR, ...UPPER_FLOOR];

/** The one room of the ground floor that knows where it runs: it starts workers. */
const POOL = 'pool';

/** Packages that the ground floor may import: none. */
const PACKAGES: readonly string[] = [];

/** Globals that are no part of the language, and yet are in pages, workers, Node, Deno and Bun. */
const EVERYWHERE = [
  'AbortSignal',
  'atob',
  'performance',
  'setTimeout',
  'structuredClone',
  'TextDecoder',
  'TextEncoder',
  'WebAssembly',
];

/** Sources by their path in src/. */
type Files = ReadonlyMap<string, string>;

const roomOf = (path: string) => path.split('/')[0] as string;
const isGroundFloor = (path: string) => GROUND_FLOOR.includes(roomOf(path));

/** What a file imports, exports from elsewhere, or imports later: paths in src/, and the names of packages. */
function importsOf(files: Files, path: string): { inside: string[]; outside: string[] } {
  const { importedFiles } = ts.preProcessFile(files.get(path) as string, true, true);
  const names = importedFiles.map(({ fileName }) => fileName);
  const isInside = (name: string) => name.startsWith('.');
  return {
    inside: names.filter(isInside).map((name) => resolved(files, path, name)),
    outside: names.filter((name) => !isInside(name)),
  };
}

function resolved(files: Files, path: string, name: string): string {
  const { pathname } = new URL(name, `file:///${path}`);
  const target = pathname.slice(1);
  const known = [`${target}.ts`, `${target}/index.ts`, target].find((candidate) => files.has(candidate));
  return known ?? target;
}

/** What breaks the rule, in words. */
function violations(files: Files): string[] {
  const inside = new Map<string, string[]>();
  const outside = new Map<string, string[]>();
  for (const path of files.keys()) {
    const imports = importsOf(files, path);
    inside.set(path, imports.inside);
    outside.set(path, imports.outside);
  }
  const found: string[] = [];
  for (const [path, targets] of inside) {
    const floor = ROOMS.indexOf(roomOf(path));
    if (floor < 0) found.push(`${path} is in no room`);
    for (const target of targets) {
      if (!files.has(target)) found.push(`${path} imports ${target}, which is not there`);
      else if (ROOMS.indexOf(roomOf(target)) > floor)
        found.push(`${path} imports ${target}, of a later room`);
    }
  }
  for (const cycle of cyclesOf(inside)) found.push(`a cycle: ${cycle.join(' -> ')}`);
  for (const path of [...files.keys()].filter(isGroundFloor)) {
    for (const name of outside.get(path) as string[]) {
      const isKnown = PACKAGES.includes(name) || name.startsWith('@tensorflow/'); // which comes below
      if (!isKnown && !(name.startsWith('node:') && roomOf(path) === POOL)) {
        found.push(`${path} is on the ground floor and imports ${name}`);
      }
    }
    const way = wayTo(path, inside, (file) => outside.get(file)?.some((name) => name.startsWith('@tensorflow/')) ?? false); // biome-ignore format: one line
    if (way !== null) found.push(`${path} is on the ground floor and reaches tfjs: ${way.join(' -> ')}`);
  }
  return found;
}

/** The shortest way from a file to one that passes a test, by imports; null where there is none. */
function wayTo(
  from: string,
  imports: ReadonlyMap<string, string[]>,
  isThere: (path: string) => boolean,
): string[] | null {
  const ways = [[from]];
  const visited = new Set([from]);
  for (const way of ways) {
    const last = way.at(-1) as string;
    if (isThere(last)) return way;
    for (const target of imports.get(last) ?? []) {
      if (visited.has(target)) continue;
      visited.add(target);
      ways.push([...way, target]);
    }
  }
  return null;
}

/** Each file that imports itself by way of others, with the way; each cycle once. */
function cyclesOf(imports: ReadonlyMap<string, string[]>): string[][] {
  const cycles: string[][] = [];
  const inCycles = new Set<string>();
  for (const [path, targets] of imports) {
    if (inCycles.has(path)) continue;
    const ways = targets.map((target) => wayTo(target, imports, (file) => file === path));
    const [way] = ways.filter((found) => found !== null).sort((a, b) => a.length - b.length);
    if (way === undefined) continue;
    cycles.push([path, ...way]);
    for (const file of way) inCycles.add(file);
  }
  return cycles;
}

/** What TypeScript says of a name that it does not know; it says no name where that is of globalThis. */
const UNKNOWN_NAME = /^Cannot find (name|namespace)|'typeof globalThis'/;

/** The names that files of the ground floor use and the language does not know, but for those of the pool. */
function foreignGlobals(files: Files): string[] {
  const root = '/src/';
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts'],
    types: [],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    strict: true,
    noEmit: true,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  const textOf = (name: string) => (name.startsWith(root) ? files.get(name.slice(root.length)) : undefined);
  host.fileExists = (name) => textOf(name) !== undefined || fileExists(name);
  host.getSourceFile = (name, version, ...rest) => {
    const text = textOf(name);
    return text === undefined
      ? getSourceFile(name, version, ...rest)
      : ts.createSourceFile(name, text, version);
  };
  const paths = [...files.keys()].filter((path) => isGroundFloor(path) && roomOf(path) !== POOL);
  const program = ts.createProgram({ rootNames: paths.map((path) => root + path), options, host });
  return paths.flatMap((path) => {
    const source = program.getSourceFile(root + path) as ts.SourceFile;
    const unknown = program
      .getSemanticDiagnostics(source)
      .filter(({ messageText }) => UNKNOWN_NAME.test(ts.flattenDiagnosticMessageText(messageText, ' ')));
    const names = unknown.map(({ start = 0, length = 0 }) => source.text.slice(start, start + length).split('.').at(-1) as string); // biome-ignore format: one line
    return [...new Set(names)]
      .filter((name) => !EVERYWHERE.includes(name))
      .map((name) => `${path} is on the ground floor and uses ${name}`);
  });
}

/** Whether a module has an `await` at its top level, which esbuild cannot turn into CommonJS. */
function awaitsWhileLoaded(text: string): boolean {
  try {
    esbuild.transformSync(text, { loader: 'ts', format: 'cjs', logLevel: 'silent' });
    return false;
  } catch (error) {
    if (String(error).includes('Top-level await')) return true;
    throw error;
  }
}

/** All of src/ but what AssemblyScript compiles, which is another language. */
function sources(): Files {
  const src = fileURLToPath(new URL('../src/', import.meta.url));
  const paths = readdirSync(src, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.replaceAll('\\', '/').replaceAll(/\/+/g, '/'))
    .map((path) => path.slice(src.length))
    .filter((path) => !path.startsWith('kernels/assembly/'));
  return new Map(paths.map((path) => [path, readFileSync(src + path, 'utf8')]));
}

describe('src/', () => {
  it('is built of rooms that import from earlier ones only, and the ground floor knows no tfjs, page or Node', () => {
    const files = sources();
    expect(files.size).toBeGreaterThan(50);
    expect(violations(files)).toEqual([]);
  });

  it('uses on the ground floor only globals of the language and a few that exist everywhere', () => {
    expect(foreignGlobals(sources())).toEqual([]);
  });

  it('can be required, since no module awaits anything while it is loaded', () => {
    expect([...sources()].filter(([, text]) => awaitsWhileLoaded(text)).map(([path]) => path)).toEqual([]);
  });
});

describe('the check of that', () => {
  const of = (files: Record<string, string>) => violations(new Map(Object.entries(files)));

  it('finds nothing where all is as it should be', () => {
    expect(
      of({
        'core/a.ts': "import { b } from './b';\n/** import { x } from '@tensorflow/tfjs-core' */",
        'core/b.ts': 'export const b = 1;',
        'pool/a.ts': "import { a } from '../core/a'; const os = await import('node:os');",
        'runtime.ts': "export { a } from './core/a';",
        'ops/a.ts': "import * as tf from '@tensorflow/tfjs-core';",
        'node/index.ts': "import fs from 'node:fs'; export * from '../ops/a';",
        'index.ts': "import './node';",
      }),
    ).toEqual([]);
  });

  it.each([
    ["import { a } from '../engine/a';"],
    ["import type { A } from '../engine/a';"],
    ["import { type A } from '../engine/a';"],
    ["export { a } from '../engine/a';"],
    ["export type { A } from '../engine/a';"],
    ["export * from '../engine/a';"],
    ["import '../engine/a';"],
    ["const a = await import('../engine/a');"],
    ["let a: import('../engine/a').A;"],
  ])('finds an import of a later room: %s', (text) => {
    expect(of({ 'core/x.ts': text, 'engine/a.ts': '' })).toEqual([
      'core/x.ts imports engine/a.ts, of a later room',
    ]);
  });

  it('finds cycles, also in one room and of one file', () => {
    expect(
      of({
        'core/a.ts': "import './b';",
        'core/b.ts': "import './c';",
        'core/c.ts': "import type {} from './a';",
      }),
    ).toEqual(['a cycle: core/a.ts -> core/b.ts -> core/c.ts -> core/a.ts']);
    expect(of({ 'core/a.ts': "import './a';" })).toEqual(['a cycle: core/a.ts -> core/a.ts']);
  });

  it.each([
    ['const a = await 1;', true],
    ['for await (const a of []) {}', true],
    ['if (1) { await 1; }', true],
    ["const a = async () => await import('a');", false],
  ])('finds what awaits while it is loaded: %s', (text, isFound) => {
    expect(awaitsWhileLoaded(`${text} export {};`)).toBe(isFound);
  });

  it('finds rooms and files that it does not know', () => {
    expect(of({ 'attic/a.ts': '', 'core/a.ts': "import './b';" })).toEqual([
      'attic/a.ts is in no room',
      'core/a.ts imports core/b, which is not there',
    ]);
    expect(of({ 'loose.ts': '' })).toEqual(['loose.ts is in no room']);
  });

  it('finds tfjs where the ground floor reaches it, by types and by way of others', () => {
    expect(
      of({
        'core/a.ts': "import type { Tensor } from '@tensorflow/tfjs-core';",
        'engine/a.ts': "export * from '../core/a';",
      }),
    ).toEqual([
      'core/a.ts is on the ground floor and reaches tfjs: core/a.ts',
      'engine/a.ts is on the ground floor and reaches tfjs: engine/a.ts -> core/a.ts',
    ]);
  });

  it('finds Node outside the pool, and packages that it does not know', () => {
    expect(
      of({
        'core/a.ts': "import('node:fs'); import 'left-pad';",
        'pool/a.ts': "import 'node:os'; import 'pool-party';",
      }),
    ).toEqual([
      'core/a.ts is on the ground floor and imports node:fs',
      'core/a.ts is on the ground floor and imports left-pad',
      'pool/a.ts is on the ground floor and imports pool-party',
    ]);
  });

  it('finds globals of pages and of Node, as values and as types', () => {
    const files = {
      'core/a.ts':
        'export const a = document.title; export const b = (x: Worker) => globalThis.navigator ?? x;',
      'engine/a.ts': "export const c = process.env; export const text = 'document'; setTimeout(() => {}, performance.now());", // biome-ignore format: one line
      'pool/a.ts': 'export const d = navigator.hardwareConcurrency;',
      'ops/a.ts': 'export const e = document.title;',
    };
    expect(foreignGlobals(new Map(Object.entries(files))).sort()).toEqual([
      'core/a.ts is on the ground floor and uses Worker',
      'core/a.ts is on the ground floor and uses document',
      'core/a.ts is on the ground floor and uses navigator',
      'engine/a.ts is on the ground floor and uses process',
    ]);
  });
});
