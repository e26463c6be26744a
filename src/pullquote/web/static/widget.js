// Pullquote's chat in any page: <script src="https://ask.example/widget.js" defer></script>
// A bubble, or a panel in <div data-pullquote></div>. It loads nothing before the first click, and keeps nothing.
// A strict style-src lets it in.
(() => {
"use strict";
if (window.Pullquote) return void window.Pullquote.mount();
const script = document.currentScript ??
  [...document.querySelectorAll("script[src]")].findLast((one) => /\/widget\.js([?#]|$)/.test(one.src));
const app = new URL(".", script?.src ?? /https?:\/\/[^\s()]+\/widget\.js/.exec(new Error().stack)[0]);
const here = self.origin;
let visitor = script?.dataset.visitor;
const heard = new EventTarget();
const tell = (name, detail) => heard.dispatchEvent(new CustomEvent(name, { detail }));

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
:host(pullquote-chat) { all: initial !important; position: fixed !important; inset: auto !important; }
:host(div) { display: block; height: 560px; }
* { box-sizing: border-box; }
.all { --line: light-dark(#d9deea, #2c3446); height: 100%; color: light-dark(#1d2433, #e7eaf3); text-align: start;
  font: 15px/1.45 system-ui, sans-serif; }
button, a { border: 0; border-radius: 10px; padding: 0; font: inherit; cursor: pointer; }
:focus-visible { outline: 3px solid light-dark(#4338ca, #a9b4ff); outline-offset: 2px; }
svg { width: 20px; fill: none; stroke: currentColor; stroke-width: 2; display: block; margin: auto; }
.bubble { position: fixed; bottom: 18px; width: 58px; height: 58px; border: 1px solid #0000; border-radius: 50%;
  box-shadow: 0 4px 20px #0005; }
.bubble, p + button { background: var(--accent); color: var(--on); }
.bubble svg { width: 28px; fill: currentColor; stroke-linejoin: round; }
.panel { display: flex; flex-direction: column; height: 100%; padding: 0; overflow: hidden; color: inherit;
  background: light-dark(#fff, #171b27); border: 1px solid var(--line); border-radius: 16px; }
dialog.panel { position: fixed; inset: auto; bottom: 88px; margin: 0; box-shadow: 0 12px 48px #0005;
  width: min(420px, 100vw - 36px); height: min(660px, 100dvh - 106px); max-width: none; max-height: none; }
dialog:not([open]) { display: none; }
.bubble, dialog.panel { left: var(--left, auto); right: var(--right, auto); }
dialog.panel:modal { inset: 0; width: 100vw; height: 100dvh; border: 0; border-radius: 0; }
.bar { display: flex; padding: 6px; padding-inline-start: 16px; border-bottom: 1px solid var(--line); }
h2 { flex: 1; align-self: center; margin: 0; font-size: 16px; overflow-wrap: anywhere; }
.bar > * + * { display: grid; width: 40px; height: 40px; background: none; color: light-dark(#566076, #a6b0c5); }
.body { flex: 1; position: relative; display: grid; overflow: auto; }
iframe { position: absolute; width: 100%; height: 100%; border: 0; color-scheme: auto; }
.note:not([hidden]) + iframe { visibility: hidden; }
.note { margin: auto; padding: 24px; text-align: center; overflow-wrap: anywhere; }
p { margin: 0 0 14px; } p + button { padding: 10px 20px; }`);

const make = (tag, { label, ...properties }, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  if (label) made.ariaLabel = made.title = label;
  made.append(...children);
  return made;
};
const icon = (d) => {
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  svg.setAttribute("viewBox", "0 0 24 24");
  path.setAttribute("d", d);
  svg.append(path);
  return svg;
};

function isDark(theme) {
  if (theme === "light" || theme === "dark") return theme === "dark";
  const { colorScheme } = getComputedStyle(document.documentElement);
  const named = colorScheme === "normal" ? document.querySelector("meta[name=color-scheme]")?.content ?? "" : colorScheme;
  return /dark/.test(named) && (!/light/.test(named) || matchMedia("(prefers-color-scheme: dark)").matches);
}

function isPale(hex) { // black is read on it (WCAG’s luminance, nearly)
  const [r, g, b] = [1, 3, 5].map((at) => (parseInt(hex.slice(at, at + 2), 16) / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179;
}

async function reason(violated) { // why there is no chat, and who must do what
  if (violated) return _("This page’s Content-Security-Policy keeps the chat out. Its owner must add: {rule}").replace("{rule}", `${violated} ${app.origin}`);
  try {
    const answer = await fetch(new URL(`embed/allowed?lang=${LANGUAGE}`, app), { credentials: "omit", cache: "no-store" });
    const { why, detail } = await answer.json();
    return why ?? detail;
  } catch {
    return location.protocol === "https:" && app.protocol === "http:"
      ? _("This page came over https, so the chat must too. Its owner must load it from https, not from {app}.").replace("{app}", app.origin)
      : _("{app} does not answer. Is Pullquote running, and can this computer reach it?").replace("{app}", app.origin);
  }
}

class Chat {
  constructor(place) {
    this.place = place; // the page’s <div data-pullquote>; null for the bubble
    const own = { ...script?.dataset, ...place?.dataset };
    this.options = { title: _("Ask a question"), lang: LANGUAGE, ...own };
    this.lang = own.title ? own.lang ?? document.documentElement.lang : LANGUAGE; // of the title
    this.host = place ?? make("pullquote-chat", { popover: "manual" });
    this.root = this.host.shadowRoot ?? this.host.attachShadow({ mode: "open" });
    this.root.adoptedStyleSheets = [sheet];
    this.waiting = []; // for a frame that is not ready yet
    this.build(this.options);
    if (!place) {
      document.documentElement.append(this.host);
      this.host.showPopover();
    }
    if (this.options.open !== undefined) this.open(false);
  }

  build({ title, accent, theme, position, greeting }) {
    this.theme = isDark(theme) ? "dark" : "light";
    const color = /^#[0-9a-f]{6}$/i.test(accent) ? accent : this.theme === "dark" ? "#a9b4ff" : "#4338ca";
    const dir = getComputedStyle(document.body).direction;
    const side = /^(left|right)$/.test(position) ? position : dir === "rtl" ? "left" : "right";
    const all = make("div", { className: "all", dir, lang: LANGUAGE });
    all.style = `color-scheme:${this.theme};--accent:${color};--on:${isPale(color) ? "#000" : "#fff"};--${side}:18px`;
    const full = make("a", { href: app, target: "_blank", label: _("Open in full") }, icon("M14 5h5v5m0-5-8 8M9 6H5v13h13v-4"));
    const header = make("div", { className: "bar" }, make("h2", {}, make("bdi", { textContent: title, lang: this.lang })), full);
    this.note = make("div", { className: "note", role: "status" });
    this.body = make("div", { className: "body" }, this.note);
    this.panel = make(this.place ? "section" : "dialog", { className: "panel", ariaLabel: title }, header, this.body);
    all.append(this.panel);
    this.root.replaceChildren(all);
    if (this.place) return this.say(greeting ?? "", title);
    const toggle = () => (this.panel.open ? this.close() : this.open());
    this.bubble = make("button", { className: "bubble", label: title, lang: this.lang, ariaExpanded: "false", onclick: toggle },
      icon("M10 12V6H4v6h6q0 5-4 6M20 12V6h-6v6h6q0 5-4 6"));
    header.append(make("button", { label: _("Close"), onclick: () => this.close() }, icon("m6 6 12 12M18 6 6 18")));
    this.panel.onclose = () => {
      this.bubble.ariaExpanded = "false";
      tell("close");
    };
    this.panel.onkeydown = ({ key }) => key === "Escape" && this.close();
    all.append(this.bubble);
  }

  say(text, action) {
    const button = make("button", { textContent: action, hidden: !action, onclick: () => this.open() });
    this.note.replaceChildren(make("p", { textContent: text, dir: "auto" }), button);
    this.note.hidden = false;
  }

  open(focus = true) {
    if (this.bubble && !this.panel.open) {
      this.opener = document.activeElement;
      if (matchMedia("(max-width: 600px), (max-height: 500px)").matches) this.panel.showModal();
      else this.panel.open = true; // not show(), which takes the focus
      this.bubble.ariaExpanded = "true";
      tell("open");
    }
    if (!this.frame) this.load(this.options);
    if (focus) this.post("focus");
  }

  close() {
    if (!this.panel.open) return;
    const had = document.activeElement === this.host;
    this.panel.close();
    const isOurs = [this.host, document.body].includes(this.opener) || !this.opener.isConnected;
    if (had) (isOurs ? this.bubble : this.opener).focus();
  }

  load({ visitor: _, ...asked }) {
    this.say(_("Opening the chat…"));
    this.state = this.violated = "";
    const src = new URL(`embed?${new URLSearchParams({ ...asked, host: here, __theme: this.theme })}`, app);
    const frame = this.frame = make("iframe", { src, title: asked.title, allow: "clipboard-write", referrerPolicy: "origin" });
    frame.onload = () => setTimeout(() => this.fail(frame, ""), 3e3); // the refused loads too
    setTimeout(() => this.fail(frame, "hello"), 2e4);
    this.body.append(frame);
  }

  async fail(frame, state) {
    const isOver = () => this.frame !== frame || this.state > state;
    if (isOver()) return;
    const sentence = await reason(this.violated);
    if (isOver()) return;
    frame.remove();
    this.frame = null;
    this.say(sentence, _("Try again"));
    tell("error", sentence);
  }

  hear({ pullquote, answer }) {
    if (pullquote === "hello") this.state = "hello";
    if (pullquote === "close") this.close();
    if (pullquote === "answer" || pullquote === "expired") tell(pullquote, answer);
    if (pullquote !== "ready" || this.state === "ready") return;
    this.state = "ready";
    this.note.hidden = true;
    if (visitor) this.post("visitor", visitor);
    this.waiting.splice(0).forEach((message) => this.post(...message));
    tell("ready");
  }

  post(kind, value) {
    if (this.state !== "ready") return void this.waiting.push([kind, value]);
    if (kind === "focus") this.frame.focus();
    this.frame.contentWindow.postMessage({ pullquote: kind, value }, app.origin);
  }

  remove() {
    this.frame = null;
    if (this.place) this.root.replaceChildren();
    else this.host.remove();
  }
}

const chats = new Map(); // by place
function sync() {
  const places = document.querySelectorAll("div[data-pullquote]");
  const wanted = new Set(places.length ? places : [null]);
  for (const [place, chat] of chats) {
    if (wanted.has(place) && chat.host.isConnected) continue;
    chat.remove();
    chats.delete(place);
  }
  for (const place of wanted) if (!chats.has(place)) chats.set(place, new Chat(place));
}
const observer = new MutationObserver(sync);
const first = () => chats.values().next().value;

addEventListener("message", ({ origin, source, data }) => {
  if (origin !== app.origin || !source || !data) return;
  for (const chat of chats.values()) if (chat.frame?.contentWindow === source) chat.hear(data);
});
document.addEventListener("securitypolicyviolation", ({ blockedURI, effectiveDirective }) => {
  if (effectiveDirective === "frame-src" && blockedURI.startsWith(app.origin)) first().violated = effectiveDirective;
});

const Pullquote = window.Pullquote = {
  open: () => first()?.open(),
  close: () => first()?.close(),
  ask(question) {
    Pullquote.open();
    first()?.post("ask", `${question}`);
  },
  visitor(token) {
    visitor = token;
    for (const chat of chats.values()) chat.post("visitor", token);
  },
  on(name, act) {
    const listener = ({ detail }) => act(detail);
    heard.addEventListener(name, listener);
    return () => heard.removeEventListener(name, listener);
  },
  mount() {
    sync();
    observer.observe(document, { childList: true, subtree: true });
  },
  unmount() {
    observer.disconnect();
    for (const chat of chats.values()) chat.remove();
    chats.clear();
  },
};
if (document.body) Pullquote.mount();
else addEventListener("DOMContentLoaded", Pullquote.mount);
if (opener && location.hash === "#pullquote-check") { // the app’s page that checks this one has opened it
  const report = (kind) => (detail) => opener.postMessage({ pullquote: kind, detail }, app.origin);
  for (const kind of ["ready", "error"]) Pullquote.on(kind, report(kind));
  report("script")();
  Pullquote.open();
}
})();
