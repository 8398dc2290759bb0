"use strict";
/* files */
const VERSION = "0a6b180cf3d67025";
const FILES = {
"../assets/chart.js": "174d124b940de23e",
"../assets/guide.css": "ff7c916309a03aa2",
"../assets/guide.js": "3901541305459e64",
"../assets/handbook.css": "748991d23a1672b4",
"../assets/handbook.js": "101b3a410796538d",
"../assets/icon.svg": "573b869003393d3f",
"../assets/marks.js": "028ba479d7e4146e",
"../assets/offline.js": "e5c21c1e0c76a41e",
"../assets/role.js": "068df4abb2fd2b76",
"../assets/search.js": "cca9fc973ad1426d",
"app.webmanifest": "eecf2f26787d7e9e",
"changes.html": "cf4b77c66b31d7e6",
"flows/billing_inquiry-guide.html": "a0e9a2b163e22084",
"flows/billing_inquiry.html": "76f5b6177cc04095",
"flows/chargeback-guide.html": "0354887b99f53426",
"flows/chargeback.html": "6b977841a7c86f54",
"flows/chronic_problem-guide.html": "682ecb696132aad7",
"flows/chronic_problem.html": "c9db208b65bf9b2e",
"flows/competitor_review-guide.html": "4d5f30bb5c3ad03e",
"flows/competitor_review.html": "acf006edc40b1563",
"flows/complaint-guide.html": "598b096917ea66f4",
"flows/complaint.html": "9b9f7cb7f042a34e",
"flows/complaint_appeal-guide.html": "81fb74d69f296d4f",
"flows/complaint_appeal.html": "6053087c3bb252ee",
"flows/complaint_decision-guide.html": "82c8648561fca159",
"flows/complaint_decision.html": "e452587583eb3b22",
"flows/complaint_remedy-guide.html": "ce2e84682f63d60c",
"flows/complaint_remedy.html": "084835eb28320af8",
"flows/email_inquiry-guide.html": "0853f38dd0f08f1d",
"flows/email_inquiry.html": "d8dd21efb43c18f3",
"flows/feedback_report-guide.html": "06afd756baf8e55e",
"flows/feedback_report.html": "3fa4a274957b27d8",
"flows/feedback_survey-guide.html": "38467910b5160998",
"flows/feedback_survey.html": "02cd7a585c490e56",
"flows/fixed_note-guide.html": "e01e80d67574376a",
"flows/fixed_note.html": "60f12a433a787f5d",
"flows/gold_customer-guide.html": "db1fb1f3936bf716",
"flows/gold_customer.html": "4c8ab851be0309d3",
"flows/live_chat-guide.html": "ab6780988abf4f9e",
"flows/live_chat.html": "1d7fbc7e96d05a3c",
"flows/lost_or_wrong_item-guide.html": "2df4c6007a0f1131",
"flows/lost_or_wrong_item.html": "7098822ead58d197",
"flows/newsletter-guide.html": "d0d371b5b4b7be04",
"flows/newsletter.html": "1a75a577f8153462",
"flows/newsletter_edition-guide.html": "7f3cb62651a4fda2",
"flows/newsletter_edition.html": "7b8a374083ada7fd",
"flows/order_delivery-guide.html": "291c724e7ded2caa",
"flows/order_delivery.html": "21fdb70eee4c4cb1",
"flows/order_fulfilment-guide.html": "54c118b6cd4e7973",
"flows/order_fulfilment.html": "3cd8033808e7652a",
"flows/phone_call-guide.html": "292a95c6e69dea76",
"flows/phone_call.html": "54e7a04ddcecf597",
"flows/privacy_request-guide.html": "902dd99512a057bc",
"flows/privacy_request.html": "91e59fbf8e642c87",
"flows/production-guide.html": "93b7c15b9e50e294",
"flows/production.html": "68838375df2206cb",
"flows/promise_review-guide.html": "6a488f8d2b62cebd",
"flows/promise_review.html": "9126f12c011aceb7",
"flows/return_refund-guide.html": "33bbe5417d68a380",
"flows/return_refund.html": "08337594cc194d23",
"flows/security_drill-guide.html": "4b96402f5e1d81c4",
"flows/security_drill.html": "76a51db2738e203c",
"flows/security_incident-guide.html": "09ade5aff8b2c9de",
"flows/security_incident.html": "d70e68095de17fec",
"flows/shipping_delay-guide.html": "9cfe993a403044f6",
"flows/shipping_delay.html": "255ba09c4e0eb19d",
"flows/site_change-guide.html": "31be019833caf130",
"flows/site_change.html": "09c96d9d5827c0cb",
"flows/site_review-guide.html": "6b4e0f9b13b46a78",
"flows/site_review.html": "66ad4daf9bac45f5",
"flows/social_media-guide.html": "41b37e36c8b88fa5",
"flows/social_media.html": "1f247f550f2aaed5",
"flows/tech_support-guide.html": "f40c161906691f5c",
"flows/tech_support.html": "fbeab0c118af7bd2",
"index.html": "aa0b0247d3a0a943",
"roles.html": "e94b87956171a675",
"roles/account_owner.html": "d42dfe0c14248801",
"roles/analyst.html": "0639b965a518fd28",
"roles/billing_clerk.html": "b598b48e3fd4d6a3",
"roles/care_agent.html": "99c5b3bdb893707b",
"roles/care_lead.html": "2a9b3d14987c67e2",
"roles/care_manager.html": "9c28aeda361e4010",
"roles/editor.html": "127ce7e7ddf6ebea",
"roles/expert.html": "4a83968b428d8410",
"roles/feedback_steward.html": "8e3a4ebdcad187e3",
"roles/fulfilment_partner.html": "a9cadb080a1fa701",
"roles/investigator.html": "e23ae4787a849102",
"roles/line_agent.html": "f3bc3d0de20b7932",
"roles/privacy_officer.html": "43bc5fb1a47828eb",
"roles/production_planner.html": "d7beb1f6f63fbb6f",
"roles/returns_clerk.html": "00296b594fd17869",
"roles/security_lead.html": "b439b2bb9189ae10",
"roles/shift_lead.html": "7bafb44c239e8976",
"roles/store_owner.html": "20c69ad25221c240",
"roles/warehouse.html": "b42175343072c3a6",
"search-index.js": "0a4c9020189f1cc9",
"settings.html": "61981fa0b90b2ff7"
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
