import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';

/** Saves a model as a file would hold it and loads it back. */
export async function saveAndLoad(model: tfl.LayersModel, config?: tf.io.SaveConfig): Promise<tfl.LayersModel> {
  return tfl.loadLayersModel(tf.io.fromMemory(await savedArtifacts(model, config)));
}

export async function savedArtifacts(model: tfl.LayersModel, config?: tf.io.SaveConfig): Promise<tf.io.ModelArtifacts> {
  let saved: tf.io.ModelArtifacts = {};
  const handler = tf.io.withSaveHandler(async (artifacts) => {
    const { weightData, ...json } = artifacts;
    saved = { ...JSON.parse(JSON.stringify(json)), weightData };
    return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
  });
  await model.save(handler, config);
  return saved;
}
