// Keeps the page for use without a network. The newest wins where there is a network; statuses are
// never kept, because an old answer would look like a new one.

const CACHE = "check-4";
/** How long a bad line may keep the kept copy waiting. */
const PATIENCE_MS = 3000;
const PAGES = ["../c", "page.js", "check.js", "words.js", "status.js", "noble-ed25519.js", "style.css", "issuer", "bundle", "bundle-page.js", "bundle.js", "slip", "slip-page.js", "slip.js"];

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(PAGES)));
});

self.addEventListener("activate", (event) => {
  const old = async () => {
    for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(old());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || /\/c\/(status$|status\/|slip\/)/.test(request.url)) return;
  const serve = async () => {
    const cache = await caches.open(CACHE);
    const kept = await cache.match(request, { ignoreSearch: true });
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), kept ? PATIENCE_MS : 60_000);
    try {
      const reply = await fetch(request, { signal: stop.signal });
      if (reply.ok) await cache.put(request, reply.clone());
      return reply;
    } catch (error) {
      if (kept) return kept;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };
  event.respondWith(serve());
});
