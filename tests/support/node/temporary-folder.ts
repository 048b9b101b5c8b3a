import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';

/** The path of a folder that is there, empty at first, for the tests of the file or `describe` that asks for it; or anew for each test. */
export function temporaryFolder({ isOfEachTest = false } = {}): string {
  const folder = join(tmpdir(), `pixelcnn-layers-${crypto.randomUUID()}`);
  const [before, after] = isOfEachTest ? [beforeEach, afterEach] : [beforeAll, afterAll];
  before(() => mkdir(folder));
  after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
