import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { asPublished, REPOSITORY } from '../../scripts/lib/repository.mjs';
import { BASE, makeRelocatable } from './relocatable.mjs';
import { addRunButtons, libraryAliases, runnableExamples } from './runnable.mjs';

const docs = fileURLToPath(new URL('..', import.meta.url));

/** Links to files that are no pages lead to the repository, once it has an address. */
function linkToRepository(markdown) {
  const { link_open: open } = markdown.renderer.rules;
  markdown.renderer.rules.link_open = (tokens, index, options, env, self) => {
    const token = tokens[index];
    const href = token.attrGet('href');
    const isRelative = !/^([a-z]+:|#|\/)/.test(href);
    const path = posix.join('docs', env.relativePath, '..', href);
    if (isRelative && (!path.startsWith('docs/') || !/\.md(#|$)/.test(href) || /README\.md/.test(href)))
      token.attrs = [REPOSITORY ? ['href', `${REPOSITORY}/blob/main/${path}`] : ['title', path]];
    return open(tokens, index, options, env, self);
  };
}

/** Four pixels, of which the last is not drawn yet. */
const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4" fill="#3451b2"><path d="M0 0h2v2h-2z"/><path d="M2 0h2v2h-2zM0 2h2v2h-2z" opacity=".6"/></svg>',
)}`;

/** A click before the page's scripts have loaded counts when they have: RunnableCode looks. */
const KEEP_CLICKS =
  "addEventListener('click', ({ target }) => { const button = target.closest?.('.runnable > button'); if (button) button.dataset.isPressed = ''; });";

/** The anchors that code hosts give to headings, where the same links must work. */
const slugify = (heading) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

/** The pages that typedoc makes of the docstrings (`npm run docs:api`): the entries by name, each heading with a link. */
async function apiPages() {
  const found = JSON.parse(await readFile(join(docs, 'reference/api/typedoc-sidebar.json'), 'utf8'));
  const isEntry = ({ link }) => link !== undefined;
  const others = found.flatMap((one) =>
    isEntry(one) ? [] : one.items.map((entry) => ({ ...entry, text: `${one.text}/${entry.text}` })),
  );
  return [...found.filter(isEntry), ...others].map((entry) => ({
    ...entry,
    items: entry.items.map((kind) => ({ ...kind, link: `${entry.link}#${slugify(kind.text)}` })),
  }));
}

/** The page that scripts/flags-page.mjs makes of what the programs print for --help (`npm run docs:api`). */
const FLAGS = '/reference/api/programs';

/** An empty cell in the first row of a table is no heading. */
function leaveCornersEmpty({ renderer: { rules } }) {
  const isEmpty = (token) => token.type === 'inline' && token.content === '';
  rules.th_open = (tokens, index, options, _, self) =>
    isEmpty(tokens[index + 1]) ? '<td>' : self.renderToken(tokens, index, options);
  rules.th_close = (tokens, index, options, _, self) =>
    isEmpty(tokens[index - 1]) ? '</td>' : self.renderToken(tokens, index, options);
}

/** A page as the search reads it: also by the words that others use for what it is about, `words` in its frontmatter. */
function withOtherWords(text, env, markdown) {
  const html = markdown.render(text, env);
  const { words = '' } = env.frontmatter ?? {};
  return words === '' ? html : html.replace('</h1>', `</h1>\n<p>${words}</p>`);
}

/** Pages of a folder, in reading order, by their titles. */
const pages = (folder, titles) =>
  Object.entries(titles).map(([name, text]) => ({ text, link: `/${folder}/${name}` }));

export default async ({ command }) =>
  defineConfig({
    title: 'pixelcnn-layers',
    description: 'Exact, fast autoregressive image models for TensorFlow.js',
    outDir: '../site',
    head: [
      ['link', { rel: 'icon', href: ICON }],
      ['script', {}, KEEP_CLICKS],
    ],
    base: command === 'build' ? BASE : '/',
    srcExclude: ['**/README.md'],
    markdown: {
      anchor: { slugify },
      theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
      config(markdown) {
        linkToRepository(markdown);
        leaveCornersEmpty(markdown);
        addRunButtons(markdown);
      },
    },
    vite: {
      plugins: [
        {
          name: 'published',
          enforce: 'pre',
          transform: (code, id) => (id.endsWith('.md') ? asPublished(code) : undefined),
        },
        runnableExamples(),
      ],
      resolve: { alias: libraryAliases },
      build: { chunkSizeWarningLimit: 2000 },
    },
    buildEnd: ({ outDir }) => makeRelocatable(outDir),
    themeConfig: {
      logo: ICON,
      search: { provider: 'local', options: { _render: withOtherWords } },
      outline: [2, 3],
      nav: [
        { text: 'Learn', link: '/learn/what-is-a-pixelcnn', activeMatch: '/learn/' },
        { text: 'Do', link: '/guides/train', activeMatch: '/guides/' },
        { text: 'Look up', link: '/reference/models', activeMatch: '/reference/(?!api)' },
        { text: 'API', link: '/reference/api/', activeMatch: '/reference/api/' },
        { text: 'Results', link: '/results/', activeMatch: '/results/' },
      ],
      socialLinks: REPOSITORY ? [{ icon: 'github', link: REPOSITORY }] : [],
      sidebar: {
        '/reference/api/': [...(await apiPages()), { text: 'Flags of the programs', link: FLAGS }],
        '/': [
          {
            text: 'Learn',
            items: pages('learn', {
              'what-is-a-pixelcnn': 'What is a PixelCNN?',
              'getting-started': 'Getting started',
              'your-own-pictures': 'Your own pictures',
              'train-on-all-cores': 'Train on all cores',
            }),
          },
          {
            text: 'Do',
            items: pages('guides', {
              train: 'Train',
              save: 'Save and load',
              sample: 'Sample',
              complete: 'Complete and constrain',
              'without-data': 'Train without data',
              score: 'Score',
              compress: 'Compress',
              deploy: 'Deploy without tfjs',
              codes: 'Model the codes of a VQ-VAE',
              'learned-codecs': 'A codec that decodes anywhere',
              distributions: 'Choose or make a distribution',
              'make-a-layer': 'Make a layer',
              'bring-weights': 'Bring weights from elsewhere',
              'a-strangers-checkpoint': 'A checkpoint from a stranger',
              'from-keras': 'Coming from Keras',
              'from-pytorch': 'Coming from PyTorch',
            }),
          },
          {
            text: 'Look up',
            items: [
              ...pages('reference', {
                models: 'Models',
                masks: 'Masks',
                encodings: 'Intensities and categories',
                backends: 'Backends',
                typescript: 'TypeScript',
                'same-bits': 'The same bits',
                'codec-format': 'The compressed format',
                glossary: 'Glossary',
                troubleshooting: 'Troubleshooting and questions',
                papers: 'Papers',
              }),
              { text: 'Flags of the programs', link: FLAGS },
            ],
          },
          {
            text: 'Results',
            items: pages('results', {
              index: 'Results',
              benchmarks: 'Benchmarks',
              comparison: 'Comparison',
              'larger-pictures': 'Larger pictures',
              'the-blog': 'What differs from the blog',
            }),
          },
          { text: 'Architecture', link: '/architecture' },
        ],
      },
    },
  });
