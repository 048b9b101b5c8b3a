/**
 * Makes a data set of emoji of 32x32 RGB on white, in the styles of Google and of Twemoji, with a class for each group in each style: train.npy,
 * test.npy and their labels, as `--data npy --path DIR` reads them. The packages are large and needed for nothing else, so they are not installed;
 * get them once:
 *
 *     npm pack emoji-datasource-google@16.0.0 emoji-datasource-twitter@16.0.0
 *     for style in google twitter; do mkdir $style && tar -xzf emoji-datasource-$style-16.0.0.tgz -C $style; done
 *     node kit/data/sets/make-emoji-32.mjs --google google/package --twemoji twitter/package --out data/emoji-32
 */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeWhole } from '../../runs/files.mjs';
import { npyOf } from '../../weights/npy.mjs';
import { readEmoji } from './emoji-sheets.mjs';

const SIDE = 32;
/** A class is a place in this list, and nine more in Twemoji's style. The package's few "Component"s are among the symbols. */
const GROUPS = [
  'Smileys & Emotion',
  'People & Body',
  'Animals & Nature',
  'Food & Drink',
  'Travel & Places',
  'Activities',
  'Objects',
  'Symbols',
  'Flags',
];

const text = { type: 'string' };
const { google, twemoji, out } = parseArgs({ options: { google: text, twemoji: text, out: text } }).values;
assert(google && twemoji && out, 'wanted --google and --twemoji, the unpacked packages, and --out');

const styles = [await readEmoji(google, 'google', SIDE), await readEmoji(twemoji, 'twitter', SIDE)];
const [names, others] = styles.map((emoji) => emoji.map(({ name }) => name));
assert.deepEqual(names, others, 'the same emoji in both packages');

// Both styles of an emoji are in the same part: each tenth emoji is for the test.
const emoji = names.flatMap((_, i) =>
  styles.map((style, s) => ({
    image: style[i].image,
    label: classOf(style[i]) + s * GROUPS.length,
    isTest: i % 10 === 9,
  })),
);
await mkdir(out, { recursive: true });
for (const [part, isTest] of [
  ['train', false],
  ['test', true],
]) {
  const own = emoji.filter((one) => one.isTest === isTest);
  const images = Buffer.concat(own.map(({ image }) => image));
  await writeWhole(join(out, `${part}.npy`), npyOf(images, [own.length, SIDE, SIDE, 3]));
  const labels = Uint8Array.from(own, ({ label }) => label);
  await writeWhole(join(out, `${part}-labels.npy`), npyOf(labels, [own.length]));
  console.log(`${part}: ${own.length} images, ${GROUPS.length * styles.length} classes`);
}

function classOf({ category }) {
  const group = GROUPS.indexOf(category === 'Component' ? 'Symbols' : category);
  assert(group >= 0, category);
  return group;
}
