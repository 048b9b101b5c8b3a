/** The files that state this package's version and cannot read it from package.json, and how each states it. */
export const VERSIONS = {
  'CITATION.cff': /^version: (\S+)$/gm,
  'README.md': /^ {2}version = \{(\S+)\},$/gm,
  'models/package.json': /^ {2}"version": "(\S+)",$/gm,
  'examples/cluster/README.md': /\(pixelcnn-layers (\d\S*),/g,
};
