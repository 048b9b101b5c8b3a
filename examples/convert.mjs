// Converts weights from and for other programs: `node examples/convert.mjs --help`.

import { zipSync } from 'fflate';
import { toPortable } from 'pixelcnn-layers';
import { fileSystem } from 'pixelcnn-layers/node';
import { writePortable } from 'pixelcnn-layers/runtime';
import { loadWeights, saveWeights, writeSafetensors } from 'pixelcnn-layers/weights';
import { readConvertFlags } from '../kit/flags/convert.mjs';
import { paletteOf } from '../kit/models/image-model.mjs';
import { useBackend } from '../kit/runs/backend.mjs';
import { prepareFile, writeWhole } from '../kit/runs/files.mjs';
import { makeNetwork } from '../kit/weights/given-network.mjs';
import { npyOf } from '../kit/weights/npy.mjs';
import { readTensors } from '../kit/weights/tensor-files.mjs';

const { weights, network, from, rename, axes, isList, to, kind, float16, layout } = readConvertFlags(
  process.argv.slice(2),
);

await useBackend('cpu');
const given = weights === undefined ? null : await readTensors(weights);
const model = network && (await makeNetwork(network));
const ownNames = model === null ? [] : [...saveWeights(model).keys()];
if (isList) {
  list();
} else {
  if (given !== null) load();
  await write();
  console.log(`${to}: ${ownNames.length} weights of ${weights ?? network.directory}`);
}

/** Loads the tensors of the file into the network, all or none. Reports renamed ones by `onRename`. */
function load(onRename = () => {}) {
  const names = (inFile) => {
    const name = nameOf(inFile);
    if (name !== inFile) onRename(inFile, name);
    return name;
  };
  loadWeights(model, given.tensors, { from, names, axes });
}

/** The network's name for a tensor, null for none. */
function nameOf(inFile) {
  const name = rename(inFile);
  if (name === '') return null;
  // Keras 3 numbers the weights of a layer: block0.2 is the third of those whose names begin with 'block0.'.
  const [, layer, index] = /^(.+\.)(\d+)$/.exec(name) ?? [];
  const known = layer?.replaceAll(/(?<=^|\.)_+/g, ''); // loadWeights leaves out the _ that tfjs refuses, too
  return ownNames.filter((own) => known !== undefined && own.startsWith(known))[Number(index)] ?? name;
}

function list() {
  const print = (title, tensors) => {
    console.log(`${title}: ${tensors.size}`);
    for (const [name, { dtype, shape }] of tensors) console.log(`  ${name}  ${dtype} [${shape}]`);
  };
  if (given !== null) print(`tensors of ${weights}, ${given.format}`, given.tensors);
  if (model !== null)
    print('weights of the network', saveWeights(model, { to: from === 'pytorch' ? from : 'keras', axes }));
  if (given === null || model === null) return;
  try {
    console.log('of other names in the network:');
    load((inFile, name) => console.log(`  ${inFile}  ${name ?? 'left out'}`));
    console.log('all match');
  } catch ({ message }) {
    console.log(message.replaceAll(/[;:] (?=(?:missing|left over|of another shape) \()/g, '\n  '));
  }
}

async function write() {
  if (kind === '') return model.save(fileSystem(to));
  await prepareFile(to, '--to');
  await writeWhole(to, await bytesOf());
}

async function bytesOf() {
  if (kind === '.pixelcnn')
    return writePortable(await toPortable(model, { palette: paletteOf(model, model.levels) }), { float16 });
  const tensors = saveWeights(model, { to: layout });
  if (kind === '.safetensors') return writeSafetensors(tensors);
  const arrays = [...tensors].map(([name, { data, shape }]) => [`${name}.npy`, npyOf(data, shape)]);
  return zipSync(Object.fromEntries(arrays), { level: 0 }); // like numpy.savez
}
