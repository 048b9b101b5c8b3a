// Has the declarations of ES modules refer to those of CommonJS, which say the same, so that the package has them once.

import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const { exports } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
const entries = Object.values(exports).map((conditions) => conditions.import?.types);
for (const file of readdirSync(new URL('dist/', root)).filter((name) => name.endsWith('.d.ts'))) {
  const path = `./dist/${file}`;
  const text = `export * from './${file.replace('.d.ts', '.cjs')}';\n`;
  if (entries.includes(path)) writeFileSync(new URL(path, root), text);
  else rmSync(new URL(path, root)); // what several of them share
}
