/** Stands for tfjs's packages in the file for script tags: the global `tf`, as it is when that file runs. */
if (!globalThis.tf?.layers)
  throw new Error('pixelcnn-layers: load the scripts of tfjs, with layers, before this one');
module.exports = globalThis.tf;
