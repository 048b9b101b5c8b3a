import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pixelCNN } from 'pixelcnn-layers';
import { saveWeights, writeSafetensors } from 'pixelcnn-layers/weights';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadImageModel } from '../../../kit/models/saved-model.mjs';
import { saveGatedModel } from '../../examples/save-model';
import { useBackend } from '../../support/backends';
import { temporaryFolder } from '../../support/node/temporary-folder';

const at = temporaryFolder({ isOfEachTest: true });
beforeAll(() => useBackend('cpu'));

it('a saved model is loaded with what it is conditioned on', async () => {
  const cases = [
    [{}, null],
    [{ numClasses: 4 }, { kind: 'class', numClasses: 4 }],
    [{ conditionSize: 3 }, { kind: 'vector', size: 3 }],
    [{ conditionMapSize: 2 }, { kind: 'map', size: 2 }],
  ] as const;
  for (const [args, wanted] of cases) {
    await saveGatedModel(at, args);
    const { model, imageShape, levels, condition } = await loadImageModel(at);
    expect({ imageShape, levels, condition }).toEqual({ imageShape: [8, 8, 1], levels: 17, condition: wanted });
    model.dispose();
  }
});

it('a layer that is not registered is named, with how to register it from the command line', async () => {
  await saveGatedModel(at, {});
  const file = join(at, 'model.json');
  await writeFile(file, (await readFile(file, 'utf8')).replaceAll('"GatedActivation"', '"TheirGate"'));
  await expect(loadImageModel(at)).rejects.toThrow(
    `--model: '${at}' has a layer TheirGate, which is not registered: if it is your own, run node --import ./my-layers.mjs …, with a module that registers it`,
  );
});

describe('a run of pytorch/train.py', () => {
  const args = { imageShape: [8, 8, 1] as [number, number, number], levels: 17, hiddenDim: 2, outDim: 2, numBlocks: 1 };

  it('is loaded with the average of its weights', async () => {
    const trained = saveWeights(pixelCNN({ ...args, seed: 1 }), { to: 'pytorch' });
    await writeFile(join(at, 'network.json'), JSON.stringify({ model: 'pixelCNN', args: { ...args, seed: 2 } }));
    await writeFile(join(at, 'average.safetensors'), writeSafetensors(trained));
    const { model, imageShape, levels, condition } = await loadImageModel(at);
    expect({ imageShape, levels, condition }).toEqual({ imageShape: [8, 8, 1], levels: 17, condition: null });
    expect(saveWeights(model, { to: 'pytorch' })).toEqual(trained);
    expect(saveWeights(pixelCNN({ ...args, seed: 2 }), { to: 'pytorch' })).not.toEqual(trained);
  });

  it('is refused by the name of the file that is wrong', async () => {
    const cases = [
      ['{', `'${join(at, 'network.json')}': `],
      ['null', 'model: wanted pixelCNN, gatedPixelCNN, pixelCNNPlusPlus, pixelSNAIL, imageGPT, got undefined'],
      ['{"model":"toString"}', 'model: wanted pixelCNN, gatedPixelCNN, pixelCNNPlusPlus, pixelSNAIL, imageGPT, got "toString"'],
      ['{"model":"pixelCNN","args":{"imageShape":[8,8,1]}}', 'pixelCNN: outDim: wanted'],
      [JSON.stringify({ model: 'pixelCNN', args }), `'${join(at, 'average.safetensors')}': does not exist; train.py`],
    ] as const; // biome-ignore format: one case a line
    for (const [network, wanted] of cases) {
      await writeFile(join(at, 'network.json'), network);
      await expect(loadImageModel(at)).rejects.toThrow(wanted);
    }
  });
});
