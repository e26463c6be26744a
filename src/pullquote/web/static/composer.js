"use strict";
// The question box, there before Gradio has made its own: what is typed goes over into that one. Gradio hears no question
// while a stream of events comes, and loses one that is sent in the moment in which it ends: such a one is asked then.
window.Composer = (() => {
  const { _ } = Messages;
  const PATIENCE = 20_000; // milliseconds for the chat to start, or for a stream to end
  const PAUSE = 100; // milliseconds after the end of a stream
  const box = () => document.querySelector("#question textarea");
  const askButton = () => document.querySelector("#question .submit-button");
  const root = document.documentElement;

  const asked = new URLSearchParams(location.search).get("__theme"); // Gradio's parameter, and its class
  const isDark = asked === "dark" || (asked !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.body.classList.toggle("dark", isDark);

  const early = document.createElement("div");
  early.id = "pq-composer";
  const words = early.appendChild(document.createElement("textarea"));
  Object.assign(words, { rows: 1, maxLength: 2000, placeholder: _("Ask the article a question"), ariaLabel: _("Your question") });
  const send = early.appendChild(document.createElement("button"));
  Object.assign(send, { type: "button", className: "submit-button", ariaLabel: _("Ask") });
  send.innerHTML = '<svg viewBox="0 0 24 24"><path d="M7.3 12 5.2 5.2q-.1-.9.8-.6l13 7.4-13 7.4q-.9.3-.8-.6L7.3 12h11.4"/></svg>';
  document.body.append(early);
  if (parent === window) words.focus({ preventScroll: true }); // in another page it is that one's to say

  const set = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set;
  function fill(question) {
    set.call(box(), question); // Svelte listens to the event, not to the property
    box().dispatchEvent(new Event("input", { bubbles: true }));
  }

  let isComposing = false; // a word is being put together by an input method, which must not lose its box
  for (const name of ["compositionstart", "compositionend"]) {
    words.addEventListener(name, () => (isComposing = name === "compositionstart"));
  }

  const late = setTimeout(() => {
    const note = Object.assign(document.createElement("p"), { role: "alert" });
    note.textContent = _("The chat did not start. Please reload this page.");
    early.prepend(note);
  }, PATIENCE);
  const observer = new MutationObserver(handOver);
  function handOver() {
    if (!box() || isComposing) return;
    observer.disconnect();
    clearTimeout(late);
    if (words.value) fill(words.value);
    if (document.activeElement === words) {
      box().focus({ preventScroll: true });
      box().setSelectionRange(words.selectionStart, words.selectionEnd);
    }
    early.remove();
  }
  words.addEventListener("compositionend", () => setTimeout(handOver));
  observer.observe(root, { childList: true, subtree: true });

  let isBusy = true; // until the page has greeted
  let turn = 0; // how often Gradio was asked for something; its greeting comes first
  const later = []; // what is done when it can hear again, one by one

  function settle() {
    isBusy = false;
    later.shift()?.();
    root.classList.toggle("pq-waiting", later.length > 0);
  }

  function whenFree(act) {
    if (!isBusy) return void act();
    later.push(act);
    root.classList.add("pq-waiting");
    setTimeout(() => box() && later.includes(act) && settle(), PATIENCE); // a stream that broke off tells nobody
  }

  const plainFetch = window.fetch;
  window.fetch = (input, init) => {
    const response = plainFetch(input, init);
    if (String(input).includes("/queue/join")) {
      isBusy = true;
      turn += 1;
      response.then(({ ok }) => ok || settle(), settle);
    }
    return response;
  };
  new PerformanceObserver((list) => {
    if (!list.getEntries().some(({ name }) => name.includes("/queue/data"))) return;
    const ended = turn;
    setTimeout(() => ended === turn && settle(), PAUSE);
  }).observe({ type: "resource" });

  function keep(event, press) {
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!later.length) whenFree(press);
  }
  addEventListener("keydown", (event) => {
    const isEnter = event.key === "Enter" && !event.shiftKey && !event.isComposing;
    if (isBusy && isEnter && [words, box()].includes(event.target)) keep(event, () => askButton().click());
  }, true);
  addEventListener("click", (event) => {
    const button = event.target.closest?.(".submit-button, #examples button");
    if (isBusy && button) keep(event, () => (button === send ? askButton() : button).click());
  }, true);

  return {
    box: () => (early.isConnected ? words : box()),
    hasGreeted: () => turn > 0,
    ask: (question) => whenFree(() => {
      fill(question);
      askButton().click();
    }),
  };
})();
