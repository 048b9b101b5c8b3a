import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openRunLog } from '../../../kit/runs/run-log.mjs';
import { temporaryFolder } from '../../support/node/temporary-folder';

const directory = temporaryFolder({ isOfEachTest: true });
const path = join(directory, 'metrics.jsonl');
const open = () => openRunLog(directory, { title: '', step: 2, isResumed: false, judge: 'test', rules: [] }).then((log) => log.close());

it('keeps the lines up to the step, and drops later ones and one that was cut off', async () => {
  await writeFile(path, '{"step":1,"bits":3}\n{"step":2,"bits":2}\n{"step":3,"bits":1}\n{"step":4,"b');
  await open();
  expect(await readFile(path, 'utf8')).toBe('{"step":1,"bits":3}\n{"step":2,"bits":2}\n');
});

it.each(['{"step":2,"bi\u0000', '[1]', ''])('names the file and the line of what is damaged, and says what to do: %j', async (line) => {
  const text = `{"step":1,"bits":3}\n${line}\n{"step":3,"bits":1}\n`;
  await writeFile(path, text);
  const cure = `${path}: line 2 is damaged: delete it, which leaves a gap in the curve and nothing else`;
  await expect(open()).rejects.toThrow(cure);
  expect(await readFile(path, 'utf8')).toBe(text);
});
