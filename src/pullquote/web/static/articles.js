"use strict";
// The page "Articles": the table, what is under way, and, for editors, every change. All text goes in as text nodes.
(() => {
  const root = new URL("..", document.currentScript.src).pathname.slice(0, -1); // where the app is served
  const KEY = "pullquote-token";
  const UNDO_SECONDS = 8;
  const POLL_MS = 700;
  const $ = (id) => document.getElementById(id);
  const suffixes = $("articles").dataset.suffixes.split(",");
  const leaving = new Map(); // id → timer of an article about to be removed
  let articles = [];
  let jobs = [];
  let sorted = { key: "added_at", down: true };
  let polling = null;

  const token = () => localStorage.getItem(KEY);
  const known = "editor" in $("articles").dataset; // signed in to the app itself, and an editor
  const isEditor = () => known || Boolean(token());

  function element(tag, properties = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  async function call(path, options = {}) {
    const headers = { ...options.headers };
    if (token()) headers.authorization = `Bearer ${token()}`;
    let response;
    try {
      response = await fetch(`${root}/api${path}`, { ...options, headers });
    } catch {
      throw new Error("Pullquote does not answer. Is it still running?");
    }
    const body = await response.json().catch(() => ({}));
    if (response.status === 401) signOut();
    if (!response.ok) {
      const detail = Array.isArray(body.detail) ? body.detail[0]?.msg : body.detail;
      throw new Error(detail || `The server said ${response.status}.`);
    }
    return body;
  }

  const send = (path, method, body) =>
    call(path, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

  const count = (number, what) => `${number.toLocaleString("en")} ${what}${number === 1 ? "" : "s"}`;

  function say(text) {
    $("message").textContent = text;
    $("message").hidden = !text;
  }

  async function attempt(work) {
    say("");
    try {
      await work();
      return true;
    } catch (error) {
      say(error.message);
      return false;
    }
  }

  // Who is here
  function signOut() {
    localStorage.removeItem(KEY);
    showAccess();
  }

  function showAccess() {
    const editor = isEditor();
    $("access").hidden = known || "visitor" in $("articles").dataset;
    document.body.classList.toggle("editor", editor);
    $("add").hidden = !editor;
    $("access").textContent = editor ? "Sign out" : "Sign in as an editor";
    if (!editor) $("changes").hidden = true;
  }

  $("access").addEventListener("click", () => {
    if (token()) {
      signOut();
      jobs = [];
      return draw();
    }
    $("token-wrong").hidden = true;
    $("token-value").value = "";
    $("token").showModal();
  });

  $("token").querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    localStorage.setItem(KEY, $("token-value").value.trim());
    try {
      jobs = await call("/jobs");
    } catch {
      $("token-wrong").hidden = false;
      $("token-value").select();
      return;
    }
    $("token").close();
    showAccess();
    load();
  });

  // The table
  const state = (article) => jobs.find((job) => job.article_id === article.id && !over(job))?.state ?? "ready";
  const over = (job) => ["done", "failed", "cancelled"].includes(job.state);

  function compare(one, two) {
    const [a, b] = [one, two].map((row) => (sorted.key === "state" ? state(row) : row[sorted.key]));
    const order = typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true });
    return sorted.down ? -order : order;
  }

  function button(text, name, action, extra = "") {
    const made = element("button", { type: "button", className: `quiet ${extra}`, textContent: text });
    made.setAttribute("aria-label", `${text} ${name}`);
    made.addEventListener("click", action);
    return made;
  }

  function sourceCell(article) {
    const web = /^https?:\/\//.test(article.source);
    const short = web ? article.source.replace(/^https?:\/\//, "") : article.source.split("/").pop();
    const properties = { textContent: short, title: article.source };
    return web
      ? element("a", { ...properties, href: article.source, target: "_blank", rel: "noreferrer" })
      : element("span", properties);
  }

  function row(article) {
    const { title } = article;
    const actions = element("td", { className: "actions" }, button("Chunks", `of ${title}`, () => preview(article)));
    if (isEditor()) {
      if (/^(https?:\/\/|\/|[A-Za-z]:\\)/.test(article.source)) {
        actions.append(button("Refresh", title, () => change(`/articles/${article.id}/refresh`, "POST")));
      }
      actions.append(button("Edit", title, () => edit(article)), button("Remove", title, () => remove(article)));
    }
    const made = element(
      "tr",
      {},
      element(
        "td",
        { className: "title" },
        element("a", { href: `${root}/articles/${article.id}`, textContent: title }),
        ...article.tags.flatMap((tag) => [" ", element("span", { className: "tag", textContent: tag })]),
      ),
      element("td", { className: "source" }, sourceCell(article)),
      element("td", {}, element("time", { dateTime: article.added_at, textContent: article.added_at.slice(0, 10) })),
      element("td", { className: "number", textContent: article.words.toLocaleString("en") }),
      element("td", { className: "number", textContent: article.chunks.toLocaleString("en") }),
      element("td", { textContent: state(article) }),
      actions,
    );
    return made;
  }

  function draw() {
    const shown = articles.filter((article) => !leaving.has(article.id)).sort(compare);
    $("table").tBodies[0].replaceChildren(...shown.map(row));
    $("table").hidden = !shown.length;
    $("empty").hidden = Boolean(shown.length);
    for (const head of $("table").querySelectorAll("th[aria-sort]")) {
      const mine = head.firstElementChild.dataset.key === sorted.key;
      head.setAttribute("aria-sort", mine ? (sorted.down ? "descending" : "ascending") : "none");
    }
  }

  $("table").tHead.addEventListener("click", (event) => {
    const key = event.target.dataset?.key;
    if (!key) return;
    sorted = { key, down: sorted.key === key ? !sorted.down : key === "added_at" };
    draw();
  });

  // What is under way
  const WORDS = { waiting: "waiting", reading: "reading", embedding: "embedding", done: "done", failed: "not added", cancelled: "cancelled" };
  const OUTCOMES = { new: "added", changed: "a new version", unchanged: "was there already", renamed: "renamed" };

  function jobRow(job) {
    const words = job.state === "done" ? OUTCOMES[job.outcome] : WORDS[job.state];
    const item = element("li", { className: job.state }, element("span", { className: "name", textContent: job.name }));
    const done = job.state === "embedding" && job.total ? ` ${job.done} of ${count(job.total, "chunk")}` : "";
    item.append(element("span", { className: "state", textContent: words + done }));
    if (!over(job)) {
      const bar = element("progress");
      if (job.state === "embedding" && job.total) Object.assign(bar, { max: job.total, value: job.done });
      bar.setAttribute("aria-label", `Progress of ${job.name}`);
      item.append(bar, button("Cancel", job.name, () => change(`/jobs/${job.id}`, "DELETE")));
    }
    if (job.state === "failed") item.append(element("p", { textContent: job.message }));
    return item;
  }

  async function poll() {
    clearTimeout(polling);
    if (!isEditor()) return;
    const before = jobs.filter(over).length;
    try {
      jobs = await call("/jobs");
      if (jobs.filter(over).length !== before) articles = await call("/articles");
    } catch (error) {
      say(error.message);
      return;
    }
    draw(); // before a job is said to be done, what it did is in the table
    $("changes").hidden = !jobs.length;
    $("jobs").replaceChildren(...jobs.slice(0, 20).map(jobRow));
    if (jobs.some((job) => !over(job))) polling = setTimeout(poll, POLL_MS);
  }

  const change = (path, method, body) => attempt(async () => {
    await (body === undefined ? call(path, { method }) : send(path, method, body));
    await poll();
  });

  // Adding
  async function addFiles(files) {
    for (const file of files) {
      const known = suffixes.some((suffix) => file.name.toLowerCase().endsWith(suffix));
      if (!known) {
        say(`${file.name}: only ${suffixes.join(", ")} files can be added; save it as one of them, or paste its text.`);
        continue;
      }
      const path = `/articles?name=${encodeURIComponent(file.name)}`;
      const headers = { "content-type": "application/octet-stream" };
      if (!(await attempt(() => call(path, { method: "POST", headers, body: file })))) break;
    }
    poll();
  }

  $("files").addEventListener("change", (event) => {
    addFiles([...event.target.files]).then(() => (event.target.value = ""));
  });
  $("drop").addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      $("files").click();
    }
  });
  for (const [name, isOver] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      $("drop").classList.toggle("over", isOver);
      if (name === "drop" && isEditor()) addFiles([...event.dataTransfer.files]);
    });
  }
  $("link").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await change("/articles", "POST", { url: $("url").value.trim() })) $("url").value = "";
  });
  $("paste").querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await change("/articles", "POST", { text: $("text").value, title: $("text-title").value })) {
      $("text").value = $("text-title").value = "";
      $("paste").open = false;
    }
  });

  // Looking into one, editing, removing
  const preview = (article) => attempt(async () => {
    const found = await call(`/articles/${article.id}`);
    $("preview-title").textContent = found.title;
    const pages = found.pages ? `${count(found.pages, "page")}, ` : "";
    $("preview-about").textContent =
      `${pages}${count(found.words, "word")} in ${count(found.chunks, "chunk")}: what is searched as one piece.`;
    $("chunks").replaceChildren(...found.chunk_rows.map((chunk) => {
      const place = [chunk.heading, chunk.page ? `page ${chunk.page}` : null].filter(Boolean).join(" · ");
      return element("li", {}, element("p", { textContent: chunk.text }), element("small", { textContent: place }));
    }));
    $("preview").showModal();
    $("preview").scrollTop = 0;
  });

  function edit(article) {
    const before = article.tags.join(" ");
    $("new-title").value = article.title;
    $("new-tags").value = before;
    $("edit").showModal();
    $("new-title").select();
    $("edit").querySelector("form").onsubmit = async (event) => {
      event.preventDefault();
      const title = $("new-title").value;
      const tags = $("new-tags").value.split(/[\s,]+/).filter(Boolean);
      $("edit").close();
      if (tags.join(" ") !== before) {
        await attempt(async () => Object.assign(article, await send(`/articles/${article.id}/tags`, "PUT", { tags })));
        draw();
      }
      if (title !== article.title) change(`/articles/${article.id}`, "PATCH", { title });
    };
  }

  function remove(article) {
    leaving.set(article.id, setTimeout(() => removeNow(article.id), UNDO_SECONDS * 1000));
    const keep = element("button", { type: "button", textContent: "Undo" });
    keep.addEventListener("click", () => {
      clearTimeout(leaving.get(article.id));
      leaving.delete(article.id);
      $("undo").hidden = true;
      draw();
    });
    $("undo").replaceChildren(element("span", { textContent: `“${article.title}” will be removed.` }), keep);
    $("undo").hidden = false;
    draw();
    keep.focus();
  }

  async function removeNow(id, options = {}) {
    clearTimeout(leaving.get(id));
    await attempt(() => call(`/articles/${id}`, { method: "DELETE", ...options }));
    leaving.delete(id);
    if (!leaving.size) $("undo").hidden = true;
    load();
  }

  addEventListener("pagehide", () => {
    for (const id of leaving.keys()) removeNow(id, { keepalive: true });
  });

  for (const close of document.querySelectorAll("[data-close]")) {
    close.addEventListener("click", () => {
      const dialog = close.closest("dialog");
      if (dialog.id === "token" && !$("token-wrong").hidden) signOut();
      dialog.close();
    });
  }

  function load() {
    return attempt(async () => {
      articles = await call("/articles");
      draw();
      await poll();
    });
  }

  showAccess();
  load();
})();
