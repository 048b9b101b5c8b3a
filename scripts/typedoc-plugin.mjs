import { Application, Comment, Converter, ReflectionKind, RendererEvent } from 'typedoc';
import { MarkdownPageEvent } from 'typedoc-plugin-markdown';
import ts from 'typescript';

/** The entries of the package, by their files' names. */
const ENTRIES = {
  index: ['pixelcnn-layers', 'Layers, models, likelihoods, sampling, training and checks, on any backend.'],
  runtime: [
    'pixelcnn-layers/runtime',
    'Models as plain data: files, drawing, likelihoods and workers, without tfjs.',
  ],
  node: ['pixelcnn-layers/node', 'Saving and loading in Node.'],
  data: ['pixelcnn-layers/data', 'Data sets as bytes, and batches of them.'],
  weights: ['pixelcnn-layers/weights', 'Weights from other programs, and for them.'],
};

/**
 * A plugin for TypeDoc: names the entries as they are imported; omits members of classes that are internal to
 * tfjs-layers (`build`, `call`, `getConfig` and the like, which have no docstring here); lists functions by name, and overloads under one
 * heading; prevents products like H*W from becoming emphasis.
 *
 * @param {Application} app
 */
export function load(app) {
  app.on(Application.EVENT_BOOTSTRAP_END, () => {
    for (const name of ['modifierTags', 'excludeTags']) {
      app.options.setValue(name, [...app.options.getValue(name), '@nocollapse']);
    }
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
    for (const entry of context.project.children) {
      const [name, text] = ENTRIES[entry.name];
      entry.name = name;
      entry.comment = new Comment([{ kind: 'text', text }]);
    }
    for (const { children = [] } of context.project.getReflectionsByKind(ReflectionKind.Class)) {
      for (const member of [...children]) {
        if (!member.kindOf(ReflectionKind.Constructor) && !hasOwnText(context, member)) {
          context.project.removeReflection(member);
        }
      }
    }
  });
  app.renderer.on(RendererEvent.BEGIN, ({ project }) => {
    for (const { title, children } of project.children.flatMap(({ groups }) => groups))
      if (title === 'Functions')
        children.sort((a, b) => a.name.localeCompare(b.name, 'en', { sensitivity: 'base' }));
  });
  app.renderer.on(MarkdownPageEvent.END, (page) => {
    page.contents = withOneHeading(page.contents);
  });
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    for (const { comment } of Object.values(project.reflections)) {
      if (!comment) continue;
      for (const part of [comment.summary, ...comment.blockTags.map(({ content }) => content)].flat()) {
        if (part.kind === 'text') part.text = part.text.replaceAll(/(?<=[\w)])\*(?=[\w(])/g, '\\*');
      }
    }
  });
}

/** Whether a member has its own docstring, and not only the one that it overrides. */
function hasOwnText(context, member) {
  const { declarations = [] } = context.getSymbolFromReflection(member) ?? {};
  return declarations.flatMap((node) => ts.getJSDocCommentsAndTags(node)).some(({ comment }) => comment);
}

/** A page with all signatures of a function under one heading, and what is said of the one of which most is said. */
function withOneHeading(page) {
  return [2, 3, 4, 5].reduce((text, level) => {
    const heading = `${'#'.repeat(level)} Call Signature\\n`;
    const line = `(?!#{1,${level}} ).*\\n`;
    return text.replace(new RegExp(`(?:^${heading}(?:${line})*){2,}`, 'gm'), merged);
  }, `${page}\n`);
}

function merged(overloads) {
  const [, ...each] = overloads.split(/^#+ Call Signature\n+/m);
  const parts = each.map((text) => /^(```ts\n.*?^```)\n(.*)/ms.exec(text).slice(1));
  const said = parts
    .map(([, text]) => text)
    .reduce((most, text) => (text.length > most.length ? text : most));
  const signatures = parts.map(([signature]) => signature).join('\n\n');
  return `${signatures}\n${said.replaceAll(/^#(?=##)/gm, '')}`;
}
