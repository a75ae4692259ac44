/* Switchyard collector: tells the console what a consenting visitor does. No cookies, no dependencies. Use: docs/collector.md */
(() => {
  'use strict';
  const script = document.currentScript, address = script.dataset.endpoint || new URL('/hooks/site/', script.src).href;
  const STORE = 'switchyard', MAX_QUEUE = 200, MAX_BATCH = 25, MAX_TEXT = 20000, PAUSE = 1000;
  const CAMPAIGN = ['ttclid', 'utm_source', 'utm_medium', 'utm_campaign', 'utm_content', 'utm_term'];
  const TYPES = { view: 'product_viewed', cart: 'added_to_cart', checkout: 'checkout_started', purchase: 'purchased' };
  const nothing = () => ({ id: '', campaign: {}, queue: [] });
  let consent = null, who = {}, timer = 0, wait = PAUSE, sending = false;
  let kept = nothing(); // what outlives the page

  const uuid = () => crypto.randomUUID ? crypto.randomUUID() // secure pages only
    : Array.from(crypto.getRandomValues(new Uint8Array(16)), n => (n + 256).toString(16).slice(1)).join('');

  function storage(work) { // some browsers keep nothing
    try { return work(window.localStorage); } catch { return null; }
  }

  function save() {
    if (consent) storage(store => store.setItem(STORE, JSON.stringify(kept)));
    else if (consent === false) storage(store => store.removeItem(STORE));
    later();
  }

  function batch(most) {
    const events = kept.queue.slice(0, most), common = { consent: true, anonymous_id: kept.id, campaign: kept.campaign };
    const body = JSON.stringify({
      key: script.dataset.key, sent_at: new Date().toISOString(), events: events.map(event => ({ ...common, ...event })),
    });
    return body.length > MAX_TEXT && most > 1 ? batch(most >> 1) : { body, events };
  }

  function taken(events) {
    kept.queue = kept.queue.filter(event => !events.includes(event));
    save();
  }

  function later() {
    if (consent && kept.queue.length && !timer) timer = setTimeout(() => { timer = 0; send(); }, wait);
  }

  async function send() {
    if (!consent || sending || !kept.queue.length) return;
    const next = batch(MAX_BATCH);
    sending = true;
    try {
      const answer = await fetch(address, { method: 'POST', body: next.body, keepalive: true, credentials: 'omit' });
      if (answer.status > 428) throw answer;
      taken(next.events); // a refusal is final too
      wait = PAUSE;
    } catch { wait = Math.min(60 * PAUSE, wait * 2); }
    sending = false;
    later();
  }

  function leave() { // the browser sends on after the page is gone; an event that goes twice counts once
    while (consent && kept.queue.length) {
      const next = batch(MAX_BATCH);
      if (!navigator.sendBeacon(address, next.body)) return;
      taken(next.events);
    }
  }

  function add(type, data) {
    if (consent === false) return;
    const event = { event_id: uuid(), type, at: new Date().toISOString(), page: location.origin + location.pathname, data, ...who };
    kept.queue = [...kept.queue, event].slice(-MAX_QUEUE);
    save();
  }

  function agree(yes) {
    consent = yes === true;
    if (consent) kept.id ||= uuid();
    else { kept = nothing(); who = {}; }
    save();
  }

  function act(command, value) {
    if (command === 'consent') agree(value);
    else if (command === 'identify') {
      who = { email: value.email, phone: value.phone, customer_id: value.customer_id };
      add('identified', {});
    }
    else if (TYPES[command]) add(TYPES[command], { ...value });
  }

  const early = window.switchyard?.q || [], asked = new URLSearchParams(location.search);
  const found = storage(store => JSON.parse(store.getItem(STORE)));
  if (found?.id) { kept = found; consent = true; }
  const landed = CAMPAIGN.filter(name => asked.get(name)).map(name => [name, asked.get(name).slice(0, 500)]);
  if (landed.length) kept.campaign = Object.fromEntries(landed); // the newest click counts
  window.switchyard = (...call) => act(...call);
  early.forEach(call => act(...call));
  save();
  window.addEventListener('pagehide', leave);
  document.addEventListener('visibilitychange', () => { if (document.hidden) leave(); });
})();
