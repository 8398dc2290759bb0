"use strict";
// Where the handbook is served, it can be put on a phone like an app and read without a network. From a folder, or
// where data is to be saved, nothing is done.
(() => {
  const home = new URL(document.currentScript.dataset.home || "./", location.href);
  if (!/^https?:$/.test(location.protocol)) return;
  const link = document.createElement("link");
  link.rel = "manifest";
  link.href = new URL("app.webmanifest", home).href;
  document.head.append(link);
  if (!("serviceWorker" in navigator) || (navigator.connection && navigator.connection.saveData)) return;
  navigator.serviceWorker.register(new URL("worker.js", home), { updateViaCache: "none" }).catch(() => undefined);
})();
