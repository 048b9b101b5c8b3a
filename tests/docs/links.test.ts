import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path/posix'; // links have slashes on Windows too
import { expect, it } from 'vitest';
import { filesBelow } from '../support/docs/files-below';
import { root } from '../support/node/root';

/** Without those that typedoc makes of the docstrings, and what the site's build leaves behind. */
const guides = (await filesBelow('docs')).filter(
  (name) => name.endsWith('.md') && !/^docs\/(reference\/api|\.vitepress|public)\//.test(name),
);

const cards = await filesBelow('demo', 'examples', 'kit', 'models', 'research');
const pages = ['README.md', ...guides, ...cards.filter((name) => name.endsWith('.md') && !name.includes('node_modules'))];

/** Markdown without its blocks of code, whose brackets are no links. */
const prose = (text: string) => text.replaceAll(/^```.*?^```$/gms, '');

/** The anchors that a code host gives to the headings of a page. */
function anchorsOf(text: string): string[] {
  const headings = [...prose(text).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading as string);
  const counts = new Map<string, number>();
  return headings.map((heading) => {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = plain.replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-');
    const earlier = counts.get(anchor) ?? 0;
    counts.set(anchor, earlier + 1);
    return earlier === 0 ? anchor : `${anchor}-${earlier}`;
  });
}

/** The links of a page that do not begin with a scheme, pictures among them. */
const linksOf = (text: string) =>
  [...prose(text).matchAll(/\]\(([^)\s]+)\)|\bsrc(?:set)?="([^"]+)"/g)]
    .map(([, link, source]) => (link ?? source) as string)
    .filter((target) => !/^[a-z]+:/.test(target));

async function isBroken(page: string, link: string): Promise<boolean> {
  const [path, anchor] = link.split('#') as [string, string?];
  const file = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(root, file))) return true;
  if (anchor === undefined) return false;
  return !file.endsWith('.md') || !anchorsOf(await readFile(join(root, file), 'utf8')).includes(anchor);
}

it.each([...pages, 'CHANGELOG.md', 'CONTRIBUTING.md'])('%s links to files and headings that exist', async (page) => {
  const links = linksOf(await readFile(join(root, page), 'utf8'));
  const broken: string[] = [];
  for (const link of links) if (await isBroken(page, link)) broken.push(link);
  expect(broken).toEqual([]);
});

it('makes anchors as code hosts do', () => {
  const page = '# What `sample` does\n## A, B & C-D\n## A, B & C-D\n```sh\n# no heading\n```\n### [Link](x.md) here_too';
  expect(anchorsOf(page)).toEqual(['what-sample-does', 'a-b--c-d', 'a-b--c-d-1', 'link-here_too']);
  expect(linksOf('[a](b.md#c) ![](d.png) [e](https://f.g) `[h](`\n```\n[i](j)\n```')).toEqual(['b.md#c', 'd.png']);
});

it('has every page in the sidebar of the site, and nothing else', async () => {
  const config = await readFile(join(root, 'docs/.vitepress/config.mjs'), 'utf8');
  const folders = [...config.matchAll(/pages\('(\w+)', \{(.*?)\}\)/gs)].flatMap(([, folder = '', titles = '']) =>
    [...titles.matchAll(/^ *'?([\w-]+)'?: '/gm)].map(([, name = '']) => `docs/${folder}/${name}.md`),
  );
  const others = [...config.matchAll(/\{ text: '[^']*', link: '\/([\w-]+)' \}/g)].map(([, name = '']) => `docs/${name}.md`);
  const wanted = guides.filter((page) => basename(page) !== 'README.md' && page !== 'docs/index.md');
  expect([...folders, ...others].sort()).toEqual(wanted.sort());
});

/** What pages name, a paper or a network that has one, and where it is. */
const SOURCES: [RegExp, string][] = [
  [/Pixel\s+Recurrent\s+Neural\s+Networks|\bPixelRNN\b/, 'arxiv.org/abs/1601.06759'],
  [/Conditional\s+Image\s+Generation|\bGated\s+PixelCNN\b/, 'arxiv.org/abs/1606.05328'],
  [/PixelCNN\+\+|\bSalimans\s+et\s+al/, 'arxiv.org/abs/1701.05517'],
  [/\bPixelSNAIL\b|\bChen\s+et\s+al/, 'arxiv.org/abs/1712.09763'],
  [/\bVQ-VAE\b(?!-2)/, 'arxiv.org/abs/1711.00937'],
  [/\bVQ-VAE-2\b/, 'arxiv.org/abs/1906.00446'],
  [/\bRamachandran\b/, 'arxiv.org/abs/1704.06001'],
  [/\bTouvron\b/, 'arxiv.org/abs/2103.17239'],
  [/Annotated\s+Pixel-CNN/, 'minibatchai.com/2023/01/27/pixel-cnn.html'],
];

/** Prose without headings, names in code and links to elsewhere in these pages: what is left names something by itself. */
const namesOf = (text: string) =>
  prose(text)
    .replaceAll(/^#.*$/gm, '')
    .replaceAll(/!?\[[^\]]*\]\([^)]*\)/g, '')
    .replaceAll(/`[^`\n]*`/g, '');

it.each(pages)('%s links the papers that it names', async (page) => {
  const text = await readFile(join(root, page), 'utf8');
  const named = SOURCES.filter(([name]) => name.test(namesOf(text)));
  expect(named.filter(([, address]) => !text.includes(address))).toEqual([]);
});

it('has each picture on some page', async () => {
  const shownOn = async (page: string) => linksOf(await readFile(join(root, page), 'utf8')).map((link) => join(dirname(page), link));
  const shown = new Set((await Promise.all(pages.map(shownOn))).flat());
  const kept = (await filesBelow('docs/images')).filter((name) => !name.endsWith('.md'));
  expect(kept.filter((name) => !shown.has(name))).toEqual([]);
});
