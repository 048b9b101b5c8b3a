import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import 'pixelcnn-layers'; // its layers, for loading

/** Addresses of the files of the models that the page brings along. */
const FILES = import.meta.glob('../../models/{digits,digits-conditional,emoji}/*.{json,bin}', {
  query: '?url',
  import: 'default',
  eager: true,
});

const loaded = new Map();

/**
 * A model that the page brings along; loaded once.
 *
 * @param {import('./protocol.mjs').ModelName} name
 * @returns {Promise<import('pixelcnn-layers').AutoregressiveModel>}
 */
export async function shippedModel(name) {
  if (!loaded.has(name)) loaded.set(name, await load(name));
  return loaded.get(name);
}

export function forgetModels() {
  for (const model of loaded.values()) model.dispose();
  loaded.clear();
}

async function load(name) {
  const { modelTopology, weightsManifest } = await (await read(`${name}/model.json`)).json();
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  const weightData = await Promise.all(
    weightsManifest
      .flatMap(({ paths }) => paths)
      .map(async (path) => (await read(`${name}/${path}`)).arrayBuffer()),
  );
  return loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }));
}

async function read(file) {
  return readFile(FILES[`../../models/${file}`]);
}

/** @param {string | URL} url */
export async function readFile(url) {
  const fail = (reason) => {
    throw new Error(`${url} cannot be read: ${reason}`);
  };
  const response = await fetch(url).catch(({ message }) => fail(message));
  return response.ok ? response : fail(`${response.status} ${response.statusText}`);
}
