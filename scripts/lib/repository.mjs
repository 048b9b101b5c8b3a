import { readFileSync } from 'node:fs';

const { repository } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

/** The address of the repository, as `repository` of package.json has it: the one place to set it. Null before the first release. */
export const REPOSITORY = addressOf(repository);

/** The address in the field `repository` of a package.json, of either form that npm knows, or null. */
export function addressOf(field) {
  const address = field?.url ?? field ?? '';
  return address === ''
    ? null
    : address.replace(/^github:/, 'https://github.com/').replace(/^git\+|\.git$/g, '');
}

/** `<!-- unpublished -->`, what holds until then, `<!-- published`, what holds from then on, `-->`. */
const MARKS = /(?:<!-- unpublished -->\n(.*?))?<!-- published\s(.*?)-->\n?/gs;

/** A text as it reads with a repository of this address; without one, nothing in it leads to the repository or to npm. */
export const asPublished = (text, address = REPOSITORY) =>
  address === null
    ? text
        .replaceAll(MARKS, (_, before = '') => before)
        .replaceAll(/href="%REPOSITORY%(?:\/\w+\/main\/)?([^"]*)"/g, 'title="$1"')
    : text.replaceAll(MARKS, (_all, _before, after) => after).replaceAll('%REPOSITORY%', address);
