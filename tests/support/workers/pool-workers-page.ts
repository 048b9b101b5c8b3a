export const startWorker = () => new Worker(new URL('../../../src/runtime/worker.ts', import.meta.url), { type: 'module' });

const startSource = (source: string) => new Worker(URL.createObjectURL(new Blob([source])));

export const startBad = (onRequest: string) =>
  startSource(`const post = (reply) => postMessage(reply);
    onmessage = ({ data: request }) => { ${onRequest} };`);

export const startBroken = () => startSource("throw new Error('broken at once')");
