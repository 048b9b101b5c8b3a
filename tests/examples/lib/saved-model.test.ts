import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadImageModel } from '../../../examples/lib/saved-model.mjs';
import { useBackend } from '../../support/backends';
import { saveGatedModel } from '../save-model';

beforeAll(() => useBackend('cpu'));

describe('a saved model', () => {
  it('is loaded with what it is conditioned on', async () => {
    const at = await mkdtemp(join(tmpdir(), 'saved-model-'));
    const cases = [
      [{}, null],
      [{ numClasses: 4 }, { kind: 'class', numClasses: 4 }],
      [{ conditionSize: 3 }, { kind: 'vector', size: 3 }],
      [{ conditionMapSize: 2 }, { kind: 'map', size: 2 }],
    ] as const;
    for (const [args, wanted] of cases) {
      await saveGatedModel(at, args);
      const { model, imageShape, levels, condition } = await loadImageModel(at);
      expect({ imageShape, levels, condition }).toEqual({
        imageShape: [8, 8, 1],
        levels: 17,
        condition: wanted,
      });
      model.dispose();
    }
    await rm(at, { recursive: true });
  });
});
