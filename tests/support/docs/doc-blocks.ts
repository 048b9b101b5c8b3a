import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../node/root';
import { filesBelow } from './files-below';

/** A block of code in README, in a guide or in a docstring. */
export interface DocBlock {
  file: string;
  /** The line of its fence. */
  line: number;
  language: string;
  /** Whether it needs a page: HTML, and what is marked as ```ts page. All else in JavaScript or TypeScript runs in Node. */
  isForPage: boolean;
  code: string;
}

async function blocksOf(file: string): Promise<DocBlock[]> {
  const text = (await readFile(join(root, file), 'utf8')).replaceAll(/^ \* ?/gm, '');
  return [...text.matchAll(/^```(\w+)([^\n]*)\n(.*?)^```$/gms)].map(({ index, 1: language = '', 2: info = '', 3: code = '' }) => ({
    file,
    line: text.slice(0, index).split('\n').length,
    language,
    isForPage: language === 'html' || info.trim() === 'page',
    code,
  }));
}

/**
 * Every block, in the order of files and lines. The reference in docs/reference/api has the examples of the docstrings,
 * which are read from the sources.
 */
export async function docBlocks(): Promise<DocBlock[]> {
  const guides = (await filesBelow('docs')).filter((file) => file.endsWith('.md') && !file.startsWith('docs/reference/api'));
  const sources = (await filesBelow('src')).filter((file) => file.endsWith('.ts'));
  const files = ['README.md', 'models/README.md', ...guides.sort(), ...sources.sort()];
  return (await Promise.all(files.map(blocksOf))).flat();
}
