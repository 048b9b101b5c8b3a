/**
 * A file of the page's own.
 *
 * @param {string | URL} url
 * @returns {Promise<Response>}
 * @throws Error that says why it cannot be read
 */
export async function readFile(url) {
  const fail = (reason) => {
    throw new Error(`${url} cannot be read: ${reason}`);
  };
  const response = await fetch(url).catch(({ message }) => fail(message));
  return response.ok ? response : fail(`${response.status} ${response.statusText}`);
}
