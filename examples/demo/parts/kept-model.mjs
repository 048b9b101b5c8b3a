import { KEPT_NAME } from '../worker/protocol.mjs';

/** Where tfjs keeps models: read here without it, since it is large. */
const DATABASE = 'tensorflowjs';
const STORE = 'models_store';

/**
 * What is known of the model that is kept in this browser; null where there is none.
 *
 * @returns {Promise<import('../worker/protocol.mjs').Saved | null>}
 */
export async function keptModel() {
  const database = await open();
  if (database === null) return null;
  try {
    const found = await done(database.transaction(STORE).objectStore(STORE).get(KEPT_NAME));
    if (found === undefined) return null;
    const { step, date } = found.modelArtifacts.userDefinedMetadata;
    return { step, date };
  } finally {
    database.close();
  }
}

/** Null where tfjs has not made the database yet: it is not made here either. */
async function open() {
  const request = indexedDB.open(DATABASE);
  let isNew = false;
  request.onupgradeneeded = () => {
    isNew = true;
    request.transaction.abort();
  };
  try {
    return await done(request);
  } catch (error) {
    if (isNew) return null;
    throw error;
  }
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
