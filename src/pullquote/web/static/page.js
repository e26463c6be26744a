"use strict";
// A citation is an ordinary link to the article's page. This opens it beside the chat instead, and adds what Gradio's
// components cannot: copy buttons, names for citations, a way back from the article.
(() => {
  const root = new URL("..", document.currentScript.src).pathname.slice(0, -1); // where the app is served
  const { _, language } = Messages;
  const reader = () => document.getElementById("reader");
  let cameFrom = null; // the citation to return to

  async function fetchArticle(url) {
    const response = await fetch(url, { headers: { accept: "text/html", "accept-language": language } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const article = page.getElementById("pq-article");
    if (!article) throw new Error(`no article at ${url}`);
    return document.adoptNode(article);
  }

  function makeRegion(element, name) {
    element.tabIndex = 0; // what scrolls can be scrolled from the keyboard
    element.setAttribute("role", "region");
    element.setAttribute("aria-label", name);
  }

  async function show(url, link) {
    let article;
    try {
      article = await fetchArticle(url);
    } catch {
      article = document.createElement("div");
      article.id = "pq-article";
      const bar = article.appendChild(document.createElement("nav"));
      bar.className = "pq-bar";
      article.append(_("The article could not be loaded. Is Pullquote still running?"));
    }
    const pane = reader();
    pane.querySelector("#pq-article")?.remove();
    pane.append(article);
    pane.scrollTop = 0;
    makeRegion(pane, _("Article"));
    if (!link) return;
    cameFrom = link;
    pane.classList.add("open");
    const back = document.createElement("button");
    back.type = "button";
    back.textContent = link.closest("#chat") ? _("← Back to the answer") : _("← Back to the chat");
    back.addEventListener("click", goBack);
    article.querySelector(".pq-bar").prepend(back);
    if (document.documentElement.classList.contains("pq-embed")) article.querySelector(".pq-bar").append(openInFull(url));
    const target = article.querySelector("mark") ?? back;
    target.scrollIntoView({ block: "center" });
    target.focus({ preventScroll: true });
  }

  function openInFull(url) {
    const full = document.createElement("a");
    Object.assign(full, { href: url, target: "_blank", rel: "noopener", textContent: _("Open in full") });
    return full;
  }

  function goBack() {
    reader().classList.remove("open");
    reader().querySelector(".pq-bar button")?.remove();
    const link = cameFrom?.isConnected ? cameFrom : document.querySelector("#question textarea");
    cameFrom = null;
    link?.focus();
    link?.scrollIntoView({ block: "nearest" });
  }

  async function copy(button) {
    const message = button.parentElement.cloneNode(true);
    message.querySelectorAll(".pq-copy, .pq-feedback").forEach((extra) => extra.remove());
    message.style.cssText = "position:fixed;top:0;opacity:0;pointer-events:none";
    document.body.append(message); // innerText keeps the line breaks of what is laid out only
    const text = message.innerText.trim();
    let copied = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      getSelection().selectAllChildren(message); // a page on plain http has no clipboard of its own
      copied = document.execCommand("copy");
      getSelection().removeAllRanges();
    }
    message.remove();
    button.textContent = copied ? _("Copied") : _("Press Ctrl+C to copy");
    setTimeout(() => (button.textContent = _("Copy")), 2000);
  }

  // Feedback: the answer is sent back as it came. Every question has one answer, so they are counted alike.
  const answers = new Map(); // number of the question → its answer

  function element(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  async function sendOpinion(box, number, verdict, reason = "") {
    const asked = [...document.querySelectorAll('#chat [data-testid="user"]')].map((one) => one.textContent.trim());
    const history = asked.slice(0, number).slice(-10).filter((text) => text.length <= 2000);
    const body = JSON.stringify({ verdict, reason, history, answer: answers.get(number) });
    let said = _("Thank you.");
    try {
      const headers = { "content-type": "application/json" };
      const response = await fetch(`${root}/api/v1/feedback`, { method: "POST", headers, body });
      if (!response.ok) said = (await response.json()).detail;
    } catch {
      said = _("Pullquote does not answer. Is it still running?");
    }
    box.replaceChildren(element("span", { role: "status", textContent: said }));
  }

  function askWhy(box, number) {
    const reason = element("input", { maxLength: 1000, placeholder: _("What was wrong? (optional)"), dir: "auto" });
    reason.setAttribute("aria-label", _("What was wrong?"));
    const form = element("form", {}, reason, element("button", { className: "pq-button", textContent: _("Send") }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      sendOpinion(box, number, "down", reason.value);
    });
    box.replaceChildren(form);
    reason.focus();
  }

  function addFeedback(message, number) {
    const box = message.appendChild(element("div", { className: "pq-feedback" }));
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", _("Was this answer helpful?"));
    const choices = [
      [_("Helpful"), () => sendOpinion(box, number, "up")],
      [_("Not helpful"), () => askWhy(box, number)],
    ];
    for (const [textContent, choose] of choices) {
      const button = box.appendChild(element("button", { type: "button", className: "pq-button", textContent }));
      button.addEventListener("click", choose);
    }
  }

  function rate(chat) {
    const messages = chat.querySelectorAll('[data-testid="bot"]');
    for (const [number, message] of messages.entries()) {
      if (answers.has(number) && !message.querySelector(".pq-feedback")) addFeedback(message, number);
    }
  }

  function noteAnswer(chat, data) {
    const text = data.querySelector(".prose")?.textContent.trim();
    const number = chat.querySelectorAll('[data-testid="user"]').length - 1;
    if (!text || number < 0) return;
    const answer = JSON.parse(text);
    if (answer.status !== "guidance") answers.set(number, answer);
    rate(chat);
  }

  function dress(chat) {
    // Gradio names a message by its Markdown source; the text inside is what should be read out.
    for (const message of chat.querySelectorAll('[data-testid="bot"][aria-label], [data-testid="user"][aria-label]')) {
      message.removeAttribute("aria-label");
    }
    // What an article, or a person, says goes in the direction of its own words; and articles are English.
    for (const said of chat.querySelectorAll(".prose > :is(p, blockquote):not([dir])")) said.dir = "auto";
    for (const quote of chat.querySelectorAll("blockquote:not([lang])")) quote.lang = "en";
    document.querySelector("#question .submit-button")?.setAttribute("aria-label", _("Ask"));
    for (const link of chat.querySelectorAll(`a[href^="${root}/articles/"]:not(.pq-cite)`)) {
      link.classList.add("pq-cite");
      link.setAttribute("aria-label", _("Quote {number}: show it in the article", { number: link.textContent.replace(/\D/g, "") }));
    }
    for (const answer of chat.querySelectorAll('[data-testid="bot"]:has(a.pq-cite):not(:has(.pq-copy))')) {
      const button = element("button", { type: "button", className: "pq-button pq-copy", textContent: _("Copy") });
      answer.insertBefore(button, answer.querySelector(".pq-feedback"));
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".pq-copy");
    if (button) return void copy(button);
    const link = event.target.closest?.(`#page a:is([href^="${root}/articles/"], [href="${root}/read"])`);
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    show(link.getAttribute("href"), link.closest("#reader") ? cameFrom : link);
  }, true);

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && cameFrom) goBack();
  });

  new MutationObserver((changes, observer) => {
    const [chat, why, data] = ["chat", "why", "answer-data"].map((id) => document.getElementById(id));
    if (!chat || !why || !data || !reader()) return;
    observer.disconnect();
    new MutationObserver(() => {
      dress(chat);
      if (!chat.querySelector('[data-testid="user"]')) answers.clear(); // a new conversation
      rate(chat);
    }).observe(chat, { childList: true, subtree: true });
    new MutationObserver(() => noteAnswer(chat, data)).observe(data, { childList: true, subtree: true, characterData: true });
    new MutationObserver(() => {
      const tables = why.querySelector("#why-tables:not([role])");
      if (tables) makeRegion(tables, _("Why this answer"));
    }).observe(why, { childList: true, subtree: true });
    show(`${root}/read`, null);
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
