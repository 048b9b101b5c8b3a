import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { root } from '../support/node/root';

const ENTRIES = ['src/index.ts', 'src/runtime/index.ts', 'src/node/index.ts', 'src/data/index.ts', 'src/weights/index.ts'];

/**
 * What is of this library alone: everything else that can be called says of which paper, blog or format it is. Of the two
 * functions `compress`, that of numbers says what its coder is.
 */
// biome-ignore format: names
const OUR_OWN = [
  'FeatureSlice', 'LevelEmbedding', 'PixelLayer', 'UpsampledMap', 'allowed', 'allowedNeighbors', 'compareActivations', 'compress',
  'costOf', 'createPool', 'decompress', 'featureSlice', 'fileSystem', 'idxImages', 'imageBatches', 'imageSet', 'interleaved', 'kernelsInUse',
  'levelEmbedding', 'levelLogProbs', 'loadModel', 'loadPortable', 'loadWeights', 'normalize', 'picture', 'quantize', 'readPortable', 'saveWeights',
  'scheduleLearningRate', 'sliceImages', 'stepper', 'toPortable', 'upsampledMap', 'windowOf', 'writeSafetensors',
];

/** What a declaration says or calls where it may throw. */
const THROWS = /\bthrow\b|\bthrowTypeError\(|\b(check|read|resolve)[A-Z]\w*\(|\bimageModelShape\(/;

interface Export {
  name: string;
  isCallable: boolean;
  docstring: string;
  /** All its declarations. */
  code: string;
  /** Public members that are its own, and their docstrings. */
  members: { name: string; docstring: string }[];
}

/** The text of a node's docstrings. */
const docstringOf = (node: ts.Node) =>
  ts
    .getJSDocCommentsAndTags(node)
    .map((comment) => (ts.isJSDoc(comment) ? comment.getText() : ''))
    .join('\n');

/** Those that an interface or class states, and those that arguments of this library give an interface. */
function membersOf(declaration: ts.Declaration, checker: ts.TypeChecker): Export['members'] {
  if (ts.isInterfaceDeclaration(declaration)) {
    const isOurs = ({ declarations = [] }: ts.Symbol) =>
      declarations.some((node) => !ts.isClassDeclaration(node.parent) && node.getSourceFile().fileName.startsWith(join(root, 'src')));
    return checker
      .getTypeAtLocation(declaration)
      .getProperties()
      .filter(isOurs)
      .map((member) => ({
        name: member.name,
        docstring:
          ts.displayPartsToString(member.getDocumentationComment(checker)) +
          member
            .getJsDocTags(checker)
            .map(({ name, text }) => `@${name} ${ts.displayPartsToString(text)}`)
            .join(' '),
      }));
  }
  if (!ts.isClassDeclaration(declaration)) return [];
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected | ts.ModifierFlags.Override;
  return [...declaration.members]
    .filter((member) => !ts.isConstructorDeclaration(member))
    .filter((member) => !(ts.getCombinedModifierFlags(member) & hidden))
    .filter(({ name }) => name === undefined || !ts.isPrivateIdentifier(name))
    .filter((member) => member.name?.getText() !== 'className') // what tfjs saves it as: its own name
    .map((member) => ({ name: member.name?.getText() ?? '', docstring: docstringOf(member) }));
}

/** Whether only the type is exported, which nobody can call. */
const isTypeOnly = ({ declarations = [] }: ts.Symbol) =>
  declarations.some((node) => ts.isExportSpecifier(node) && (node.isTypeOnly || node.parent.parent.isTypeOnly));

/** Whether it is a class, or a function however it is declared. */
const isCallable = (symbol: ts.Symbol, checker: ts.TypeChecker) =>
  (symbol.flags & ts.SymbolFlags.Class) !== 0 ||
  ((symbol.flags & ts.SymbolFlags.Value) !== 0 && checker.getTypeOfSymbol(symbol).getCallSignatures().length > 0);

/** Every export of the package, by the compiler. */
function readExports(): Export[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const entries = ENTRIES.map((entry) => join(root, entry));
  const program = ts.createProgram(entries, options);
  const checker = program.getTypeChecker();
  return ENTRIES.flatMap((entry) => {
    const file = program.getSourceFile(join(root, entry)) as ts.SourceFile;
    const module = checker.getSymbolAtLocation(file) as ts.Symbol;
    return checker.getExportsOfModule(module).map((exported) => {
      const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0;
      const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported;
      const declarations = symbol.declarations ?? [];
      return {
        name: exported.name,
        isCallable: !isTypeOnly(exported) && isCallable(symbol, checker),
        docstring: declarations.map(docstringOf).join('\n'),
        code: declarations.map((declaration) => declaration.getText()).join('\n'),
        members: declarations.flatMap((declaration) => membersOf(declaration, checker)),
      };
    });
  });
}

const all = readExports();
const byName = new Map(all.map((one) => [one.name, one]));

/** The class that a function makes and does nothing else: it is documented there. */
function madeBy({ docstring }: Export): Export | undefined {
  const [, made = ''] = /Makes an? \{@link (\w+)\}/.exec(docstring) ?? [];
  return byName.get(made);
}

const names = (exports: Export[]) => exports.map(({ name }) => name);

it('finds the exports', () => {
  expect(names(all)).toEqual(expect.arrayContaining(['pixelCNN', 'SampleOptions', 'fileSystem', 'ImageSet']));
  expect(names(all.filter(({ isCallable }) => isCallable)).length).toBeGreaterThan(25);
});

it('names nothing as a page has a global or an interface, which an import would hide', () => {
  const dom = ts.sys.readFile(join(root, 'node_modules/typescript/lib/lib.dom.d.ts')) ?? '';
  const globals = new Set([...dom.matchAll(/^(?:interface|declare var|type) (\w+)/gm)].map(([, name]) => name));
  expect(globals.has('Node') && globals.has('Window')).toBe(true);
  expect(names(all).filter((name) => globals.has(name))).toEqual([]);
});

it('has a docstring for every public name', () => {
  expect(names(all.filter(({ docstring }) => docstring === ''))).toEqual([]);
});

it('has a docstring for every member of a public name', () => {
  const bare = all.flatMap(({ name, members }) =>
    members.filter(({ docstring }) => docstring === '').map((member) => `${name}.${member.name}`),
  );
  expect(bare).toEqual([]);
});

it('has an example for every function and class, which tests/programs/docs-code.test.ts runs', () => {
  const examplesOf = (docstring: string) => docstring.match(/^ \* ```js\n.*?^ \* ```$/gms)?.join('\n') ?? '';
  const hasExample = ({ docstring }: Export, name: string) => examplesOf(docstring).toLowerCase().includes(name.toLowerCase()); // maskedConv2d makes a MaskedConv2D
  const bare = all.filter((one) => one.isCallable && !hasExample(madeBy(one) ?? one, one.name));
  expect(names(bare)).toEqual([]);
});

it('cites the source of everything from elsewhere', () => {
  const hasSource = (one: Export) => /Source: |@link https?:|"The Annotated Pixel-CNN"/.test((madeBy(one) ?? one).docstring);
  const bare = names(all.filter((one) => one.isCallable && !hasSource(one)));
  expect([...new Set(bare)].sort()).toEqual(OUR_OWN);
});

it('documents the errors of every function and class that may throw', () => {
  const bare = all
    .filter(({ isCallable, code }) => isCallable && THROWS.test(code))
    .filter((one) => !(madeBy(one) ?? one).docstring.includes('@throws'));
  expect(names(bare)).toEqual([]);
});
