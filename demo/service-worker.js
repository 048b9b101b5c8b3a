// Keeps what the page has loaded, so that a reload works without network. The build fills in the two constants.

/** Other pages of the same host, which may be of another kind, have caches of their own. */
const OWN = `pixelcnn-layers ${registration.scope} `;
const VERSION = `${OWN}%VERSION%`;
/** What the first pictures need; the rest is kept as it is used. */
const FIRST = JSON.parse('%FIRST%');

addEventListener('install', (event) => {
  event.waitUntil(caches.open(VERSION).then((cache) => cache.addAll(FIRST)));
});

addEventListener('activate', (event) => {
  const clean = async () => {
    for (const name of await caches.keys())
      if (name.startsWith(OWN) && name !== VERSION) await caches.delete(name);
    await clients.claim();
  };
  event.waitUntil(clean());
});

addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET' || new URL(request.url).origin !== location.origin) return;
  event.respondWith(request.mode === 'navigate' ? fresh(request) : kept(request));
});

/** The page itself as the server has it, so that a new version comes at once; without network as it was. */
async function fresh(request) {
  try {
    const response = await fetch(request);
    await keep(request, response);
    return response;
  } catch {
    return (await caches.match(request)) ?? (await caches.match('./')) ?? Response.error();
  }
}

/** All other files have names that change with what is in them: what is kept is right. */
async function kept(request) {
  const found = await caches.match(request);
  if (found !== undefined) return found;
  const response = await fetch(request);
  await keep(request, response);
  return response;
}

/** Where there is room. */
async function keep(request, response) {
  if (!response.ok) return;
  const copy = response.clone();
  try {
    await (await caches.open(VERSION)).put(request, copy);
  } catch {
    // The page works without.
  }
}
