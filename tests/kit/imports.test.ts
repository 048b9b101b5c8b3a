import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

// What examples and measurements import, by name, is there: Node links none of these programs here.

const root = fileURLToPath(new URL('../..', import.meta.url));

const programs = ['demo', 'examples', 'kit', 'research', 'tests/bench', 'scripts'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => join(folder, name)),
);

/** The statements of a program. */
const parsed = new Map(
  programs.map((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    return [path, ts.createSourceFile(path, text, ts.ScriptTarget.Latest).statements] as const;
  }),
);

const textOf = (node: ts.Node) => (node as ts.StringLiteral | ts.Identifier).text;

/** What a program imports by name, or exports from elsewhere, and from where. */
function importsOf(path: string): { from: string; names: string[] }[] {
  return (parsed.get(path) ?? []).flatMap((statement) => {
    const isOne = ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement);
    if (!isOne || statement.moduleSpecifier === undefined) return [];
    const clause = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : statement.exportClause;
    const isNamed = clause !== undefined && (ts.isNamedImports(clause) || ts.isNamedExports(clause));
    const names = isNamed ? clause.elements.map(({ propertyName, name }) => textOf(propertyName ?? name)) : [];
    return [{ from: textOf(statement.moduleSpecifier), names }];
  });
}

/** What a program exports by name. */
function exportsOf(path: string): string[] {
  return (parsed.get(path) ?? []).flatMap((statement) => {
    if (ts.isExportDeclaration(statement)) {
      const { exportClause: clause } = statement;
      return clause && ts.isNamedExports(clause) ? clause.elements.map(({ name }) => textOf(name)) : [];
    }
    const isExported =
      ts.canHaveModifiers(statement) && ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    if (!isExported) return [];
    const declared = ts.isVariableStatement(statement) ? statement.declarationList.declarations : [statement as ts.FunctionDeclaration];
    return declared.flatMap(({ name }) => namesIn(name));
  });
}

/** The names that a declaration gives, also where it takes an object or a list apart. */
function namesIn(name: ts.BindingName | undefined): string[] {
  if (name === undefined) return [];
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? namesIn(element.name) : []));
}

describe.each([
  ['pixelcnn-layers', () => import('pixelcnn-layers')],
  ['pixelcnn-layers/data', () => import('pixelcnn-layers/data')],
  ['pixelcnn-layers/node', () => import('pixelcnn-layers/node')],
  ['pixelcnn-layers/runtime', () => import('pixelcnn-layers/runtime')],
  ['pixelcnn-layers/weights', () => import('pixelcnn-layers/weights')],
])('%s', (entry, load) => {
  it('exports all that programs import from there', async () => {
    const there = Object.keys(await load());
    const missing = programs.flatMap((path) =>
      importsOf(path)
        .filter(({ from }) => from === entry)
        .flatMap(({ names }) => names.filter((name) => !there.includes(name)).map((name) => `${path}: ${name}`)),
    );
    expect(missing).toEqual([]);
    expect(programs.some((path) => importsOf(path).some(({ from }) => from === entry))).toBe(true);
  });
});

it('what programs import from each other is there', () => {
  const missing = programs.flatMap((path) =>
    importsOf(path)
      .filter(({ from }) => /^\..*\.mjs$/.test(from))
      .flatMap(({ from, names }) => {
        const target = relative(root, join(root, path, '..', from));
        if (!parsed.has(target)) return /^(examples|tests\/bench|scripts)/.test(target) ? [`${path}: ${from}`] : [];
        const there = exportsOf(target);
        return names.filter((name) => !there.includes(name)).map((name) => `${path}: ${name} of ${from}`);
      }),
  );
  expect(missing).toEqual([]);
});
