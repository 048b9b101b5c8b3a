import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** A Markdown table. */
export function markdownTable(header, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(header), `|${header.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

/** A Markdown table of rows that each have the cells of all columns by their headings. */
export const tableOf = (rows) => markdownTable(Object.keys(rows[0]), rows.map(Object.values));

/** A row to watch on stderr while the others are measured. */
export const showRow = (row) => console.error(Object.values(row).join('  '));

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->` in docs/results/PAGE.md. */
export async function writeFigures(page, name, text) {
  const file = fileURLToPath(new URL(`../../../docs/results/${page}.md`, import.meta.url));
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const old = await readFile(file, 'utf8');
  const [from, to] = [old.indexOf(begin), old.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no ${begin} ... ${end}`);
  await writeFile(file, `${old.slice(0, from + begin.length)}\n${text}\n${old.slice(to)}`);
}

/** Milliseconds to read: 0.92, 13.4, 129. */
export function ms(milliseconds) {
  return milliseconds.toPrecision(milliseconds < 100 ? 3 : Math.ceil(Math.log10(milliseconds + 1)));
}

/** A median in milliseconds, and between what most times are: 93.1 (90.2 to 101). */
export const spread = ({ median, low, high }) => `${ms(median)} (${ms(low)} to ${ms(high)})`;

/** A median in milliseconds, and how many times that of another it is: 93.1 (1.16). */
export const msAndTimes = (time, other) => `${ms(time.median)} (${(time.median / other.median).toFixed(2)})`;

/** Seconds to read a model's file, and to draw the first row: 1.5 + 0.9. */
export const toFirstRow = (readMs, rowMs) => [readMs, rowMs].map((ms) => (ms / 1000).toFixed(1)).join(' + ');

/** Bytes to read. */
export const mebibytes = (bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;

/**
 * Rows of models that were trained and drawn from in turn: weights, bits/dim of each run, and the times of the first run
 * beside those of the first model.
 *
 * @param {Record<string, string>} titles of the models, by name
 * @param {{ trained: object, drawn: object, weights: object }[]} runs what was measured of each, by name
 */
export function rowsOfModels(titles, runs) {
  const [{ trained, drawn, weights }] = runs;
  const [first] = Object.keys(titles);
  return Object.entries(titles).map(([name, title]) => [
    `\`${title}\``,
    weights[name].toLocaleString('en'),
    runs.map((run) => run.trained[name].bits.toFixed(3)).join(' / '),
    msAndTimes(trained[name].step, trained[first].step),
    msAndTimes(drawn[name], drawn[first]),
  ]);
}
