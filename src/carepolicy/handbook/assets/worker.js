// Keeps one version of the handbook, whole, and gives it out also without a network. VERSION and FILES stand above: the
// digest of each file by its path. A page that was given out from a version gets all that it needs from that version.
const PREFIX = `carepolicy ${registration.scope} `;
const KEPT = PREFIX + VERSION;
const PAGES = `${PREFIX}pages`;
const MOST_PAGES = 200;

const addressOf = (path) => new URL(path, registration.scope).href;

const digestOf = async (body) => {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  return [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("").slice(0, 16);
};

const take = async (cache, path) => {
  const answer = await fetch(addressOf(path), { cache: "no-store" });
  const body = await answer.arrayBuffer();
  if (!answer.ok || (await digestOf(body)) !== FILES[path]) throw new Error(`${path} is not of version ${VERSION}`);
  await cache.put(addressOf(path), new Response(body, { headers: { "Content-Type": answer.headers.get("Content-Type") || "" } }));
};

const takeAll = async () => {
  const cache = await caches.open(KEPT);
  const paths = Object.keys(FILES);
  try {
    for (let at = 0; at < paths.length; at += 8) {
      await Promise.all(paths.slice(at, at + 8).map((path) => take(cache, path)));
    }
  } catch (error) {
    await caches.delete(KEPT);
    throw error;
  }
  skipWaiting(); // not awaited: what it waits for begins only when this is over
};

// The version before this one stays, for pages that were given out from it and are still being read.
const forget = async () => {
  const versions = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== PAGES && name !== KEPT);
  await Promise.all(versions.slice(0, -1).map((name) => caches.delete(name)));
  await clients.claim();
};

const pageKey = (id) => addressOf(`page/${id}`);

const note = async (id) => {
  const pages = await caches.open(PAGES);
  await pages.put(pageKey(id), new Response(KEPT));
  const known = await pages.keys();
  await Promise.all(known.slice(0, -MOST_PAGES).map((each) => pages.delete(each)));
};

const versionOf = async (id) => {
  const noted = id ? await (await caches.open(PAGES)).match(pageKey(id)) : null;
  return noted ? noted.text() : "";
};

// A page may be asked for by its folder, or without ".html", as some servers have it.
const found = async (version, url) => {
  if (!version || !(await caches.has(version))) return undefined;
  const cache = await caches.open(version);
  const plain = url.origin + url.pathname;
  for (const each of [plain, `${plain}index.html`, `${plain}.html`]) {
    const answer = await cache.match(each);
    if (answer) return answer;
  }
  return undefined;
};

const answerTo = async (event) => {
  const opens = event.request.mode === "navigate";
  const version = opens ? KEPT : await versionOf(event.clientId);
  const answer = await found(version, new URL(event.request.url));
  if (!answer) return fetch(event.request);
  if (opens && event.resultingClientId) await note(event.resultingClientId);
  return answer;
};

addEventListener("install", (event) => event.waitUntil(takeAll()));
addEventListener("activate", (event) => event.waitUntil(forget()));
addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method === "GET" && url.origin === location.origin) event.respondWith(answerTo(event));
});
