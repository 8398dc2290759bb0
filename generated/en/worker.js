"use strict";
/* files */
const VERSION = "bcac74036d48f948";
const FILES = {
"../assets/chart.js": "174d124b940de23e",
"../assets/guide.css": "ff7c916309a03aa2",
"../assets/guide.js": "db90286417df6b29",
"../assets/handbook.css": "acb50b18e8c7168e",
"../assets/handbook.js": "101b3a410796538d",
"../assets/icon.svg": "573b869003393d3f",
"../assets/marks.js": "028ba479d7e4146e",
"../assets/offline.js": "e5c21c1e0c76a41e",
"../assets/role.js": "068df4abb2fd2b76",
"../assets/search.js": "cca9fc973ad1426d",
"app.webmanifest": "eecf2f26787d7e9e",
"changes.html": "da168ae7c1bf9d3f",
"flows/billing_inquiry-guide.html": "4f01b7a7ae7058ba",
"flows/billing_inquiry.html": "bac0d3f1c9991d3b",
"flows/chargeback-guide.html": "87f7f254ad1aa3de",
"flows/chargeback.html": "396ee2e39902925a",
"flows/chronic_problem-guide.html": "edf04a9a82a1292f",
"flows/chronic_problem.html": "a5d4d37856b3592a",
"flows/competitor_review-guide.html": "af1b462a6973eefa",
"flows/competitor_review.html": "e89b780d8b8e6359",
"flows/complaint-guide.html": "61e80d67cf6fb004",
"flows/complaint.html": "098bb72bc91ea727",
"flows/complaint_appeal-guide.html": "dbf6fa8b0ca2cf47",
"flows/complaint_appeal.html": "aabdb3511f024aa6",
"flows/complaint_decision-guide.html": "72224450003b923f",
"flows/complaint_decision.html": "f11d05805089dbb6",
"flows/complaint_remedy-guide.html": "e1125d5c7caeed28",
"flows/complaint_remedy.html": "4eff814e6c59dabf",
"flows/email_inquiry-guide.html": "064488c99c0c9750",
"flows/email_inquiry.html": "7f74c091734ff537",
"flows/feedback_report-guide.html": "f92d245b141fa5b6",
"flows/feedback_report.html": "6e1ba437589ab97d",
"flows/feedback_survey-guide.html": "cac43db04d3f2a68",
"flows/feedback_survey.html": "ac551de2508ad1f9",
"flows/fixed_note-guide.html": "0194d4d55fa2d5e7",
"flows/fixed_note.html": "56ed7110ec2af478",
"flows/gold_customer-guide.html": "55e126d6fb3fcfc5",
"flows/gold_customer.html": "1e8028c58088d23c",
"flows/live_chat-guide.html": "53f41254b22f767e",
"flows/live_chat.html": "e661f78224ff59a6",
"flows/lost_or_wrong_item-guide.html": "40f575c7789aee5d",
"flows/lost_or_wrong_item.html": "cd512e03a7d191d6",
"flows/newsletter-guide.html": "60ba83f483ac74b7",
"flows/newsletter.html": "d6d6607dd5d205c4",
"flows/newsletter_edition-guide.html": "b02d01ccbcb33f95",
"flows/newsletter_edition.html": "92deac2045b6731f",
"flows/order_delivery-guide.html": "4ad6f87a3ee452fb",
"flows/order_delivery.html": "744e76641603420c",
"flows/order_fulfilment-guide.html": "5cbe04a7c3cb1248",
"flows/order_fulfilment.html": "d022e5324cf896d4",
"flows/phone_call-guide.html": "4f92c1ee4d41f691",
"flows/phone_call.html": "d6a25e477280ba4b",
"flows/privacy_request-guide.html": "1c8e2370dd3d4fcf",
"flows/privacy_request.html": "e532ccbc4f1f6d3b",
"flows/production-guide.html": "7e9be627325ec961",
"flows/production.html": "54da02a7ea78d6d9",
"flows/promise_review-guide.html": "9c30bf69bc7c8436",
"flows/promise_review.html": "5dc45181195a5714",
"flows/return_refund-guide.html": "779133fa2f29d3ea",
"flows/return_refund.html": "d7db500bbd631a08",
"flows/security_drill-guide.html": "ac3b7631006177f9",
"flows/security_drill.html": "9f3a2e4fd7e84111",
"flows/security_incident-guide.html": "eddf8e0bac12254d",
"flows/security_incident.html": "9117a8f5c09d0cf7",
"flows/shipping_delay-guide.html": "60f25f6727681a4e",
"flows/shipping_delay.html": "d01040f0f90bf8f3",
"flows/site_change-guide.html": "dadee58034ddfc2c",
"flows/site_change.html": "b45f40ff25cb809f",
"flows/site_review-guide.html": "7d5b28365432b720",
"flows/site_review.html": "332f35c2b04179b4",
"flows/social_media-guide.html": "66783bf1819a94bb",
"flows/social_media.html": "610eba58cc0134bf",
"flows/tech_support-guide.html": "4d87eded286204f0",
"flows/tech_support.html": "2408ff04efb025e0",
"index.html": "ea9ca34eeb2da20d",
"roles.html": "86cb6766fad16f2b",
"roles/account_owner.html": "42220627403a6666",
"roles/analyst.html": "ddfdf2236d3f37da",
"roles/billing_clerk.html": "f8b533b306f010a6",
"roles/care_agent.html": "a0eba7871d6ad8e9",
"roles/care_lead.html": "5476a61e9adb52b1",
"roles/care_manager.html": "edce8451062cedd1",
"roles/editor.html": "7c73753071a96c7c",
"roles/expert.html": "4a87a403ccd72ef4",
"roles/feedback_steward.html": "0a588f770e022cdd",
"roles/fulfilment_partner.html": "c768e1928f5acfb0",
"roles/investigator.html": "c37b59f8c2c4f96a",
"roles/line_agent.html": "f71d286fc6ab6b04",
"roles/privacy_officer.html": "6cc62c92e67f9324",
"roles/production_planner.html": "be1e01c89911fb25",
"roles/returns_clerk.html": "2f66b505d1d7a6e2",
"roles/security_lead.html": "86e114f112f2cafe",
"roles/shift_lead.html": "ddf0b701a7ec8ddb",
"roles/store_owner.html": "412769d9572951a4",
"roles/warehouse.html": "476a8bf75f6bb6d7",
"search-index.js": "eb9128be34630ce8",
"settings.html": "abfd6ecbdcf5c3ef"
};
/* /files */
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
