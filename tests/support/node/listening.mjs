import { createServer } from 'node:http';

/**
 * Serves on this machine: the address, which ends in a slash, and how to end it.
 *
 * @param {import('node:http').RequestListener} answer
 */
export async function listening(answer) {
  const server = createServer(answer);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { address: `http://127.0.0.1:${port}/`, close };
}
