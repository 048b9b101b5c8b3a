/** A place in the browser's database, where an example in Node has a folder. */
export const fileSystem = (path) => `indexeddb://${path}`;
