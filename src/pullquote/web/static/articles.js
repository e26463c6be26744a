"use strict";
// The page "Articles": the table, what is under way, and, for editors, every change. All text goes in as text nodes.
(() => {
  const root = new URL("..", document.currentScript.src).pathname.slice(0, -1); // where the app is served
  const { _, ngettext, number, date, language } = Messages;
  const KEY = "pullquote-token";
  const SENT = "pullquote-removals-sent"; // as the page closed
  const UNDO_SECONDS = 8;
  const POLL_MS = 700;
  const LOOKS = 10; // for an article whose removal was sent
  const $ = (id) => document.getElementById(id);
  const asked = new URLSearchParams(location.search).has("lang") ? `?lang=${language}` : "";
  const suffixes = $("articles").dataset.suffixes.split(",");
  const leaving = new Map(); // id → timer of an article about to be removed
  const hasGroups = "groups" in $("articles").dataset; // people are told apart, so an article may be for some
  let groups = {}; // of the articles that are for some, by id
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
      throw new Error(_("Pullquote does not answer. Is it still running?"));
    }
    const body = await response.json().catch(() => ({}));
    if (response.status === 401) signOut();
    if (!response.ok) {
      const detail = Array.isArray(body.detail) ? body.detail[0]?.msg : body.detail;
      throw new Error(detail || _("The server said {status}.", { status: response.status }));
    }
    return body;
  }

  const send = (path, method, body) =>
    call(path, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

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
    $("access").textContent = editor ? _("Sign out") : _("Sign in as an editor");
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
  const STATES = {
    ready: _("ready"),
    waiting: _("waiting"),
    reading: _("reading"),
    embedding: _("embedding"),
    done: _("done"),
    failed: _("not added"),
    cancelled: _("cancelled"),
  };
  const over = (job) => ["done", "failed", "cancelled"].includes(job.state);

  function compare(one, two) {
    const [a, b] = [one, two].map((row) => (sorted.key === "state" ? STATES[state(row)] : row[sorted.key]));
    const order = typeof a === "number" ? a - b : a.localeCompare(b, language, { numeric: true });
    return sorted.down ? -order : order;
  }

  function button(text, name, action) {
    const made = element("button", { type: "button", className: "quiet", textContent: text });
    made.setAttribute("aria-label", name);
    made.addEventListener("click", action);
    return made;
  }

  function sourceCell(article) {
    const web = /^https?:\/\//.test(article.source);
    if (article.source === "pasted") return element("span", { textContent: _("pasted") });
    const short = web ? article.source.replace(/^https?:\/\//, "") : article.source.split("/").pop();
    const properties = { textContent: short, title: article.source };
    return web
      ? element("a", { ...properties, href: article.source, target: "_blank", rel: "noreferrer" })
      : element("span", properties);
  }

  // A number in its column, and with its noun where the table has no columns (`articles.css`).
  function counted(value, words) {
    const made = element("td", { className: "number" }, element("span", { textContent: number(value) }));
    made.dataset.words = words;
    return made;
  }

  function row(article) {
    const { title } = article;
    const actions = element("td", { className: "actions" }, button(_("Chunks"), _("Chunks of {title}", { title }), () => preview(article)));
    if (isEditor()) {
      if (/^(https?:\/\/|\/|[A-Za-z]:\\)/.test(article.source)) {
        const refresh = () => change(`/articles/${article.id}/refresh`, "POST");
        actions.append(button(_("Refresh"), _("Refresh {title}", { title }), refresh));
      }
      if (hasGroups) actions.append(button(_("Share"), _("Share {title}", { title }), () => share(article)));
      actions.append(
        button(_("Edit"), _("Edit {title}", { title }), () => edit(article)),
        button(_("Remove"), _("Remove {title}", { title }), () => remove(article)),
      );
    }
    const made = element(
      "tr",
      {},
      element(
        "td",
        { className: "title" },
        element("a", { href: `${root}/articles/${article.id}${asked}`, textContent: title, dir: "auto" }),
        ...article.tags.flatMap((tag) => [" ", element("span", { className: "tag", textContent: tag, dir: "auto" })]),
        ...(groups[article.id] ? [element("span", { className: "groups", textContent: seenBy(groups[article.id]) })] : []),
      ),
      element("td", { className: "source" }, sourceCell(article)),
      element("td", {}, element("time", { dateTime: article.added_at, textContent: date(article.added_at.slice(0, 10)) })),
      counted(article.words, ngettext("{count} word", "{count} words", article.words)),
      counted(article.chunks, ngettext("{count} chunk", "{count} chunks", article.chunks)),
      element("td", { textContent: STATES[state(article)] }),
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
  const OUTCOMES = {
    new: _("added"),
    changed: _("a new version"),
    unchanged: _("was there already"),
    renamed: _("renamed"),
  };

  function jobRow(job) {
    const words = job.state === "done" ? OUTCOMES[job.outcome] : STATES[job.state];
    const item = element("li", { className: job.state }, element("span", { className: "name", textContent: job.name }));
    const isCounted = job.state === "embedding" && job.total;
    const far = () =>
      ngettext("embedding {done} of {count} chunk", "embedding {done} of {count} chunks", job.total, { done: number(job.done) });
    item.append(element("span", { className: "state", textContent: isCounted ? far() : words }));
    if (!over(job)) {
      const bar = element("progress");
      if (isCounted) Object.assign(bar, { max: job.total, value: job.done });
      bar.setAttribute("aria-label", _("Progress of {name}", job));
      item.append(bar, button(_("Cancel"), _("Cancel {name}", job), () => change(`/jobs/${job.id}`, "DELETE")));
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
        const values = { name: file.name, suffixes: suffixes.join(", ") };
        say(_("{name}: only {suffixes} files can be added; save it as one of them, or paste its text.", values));
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
    $("preview-about").textContent = [
      found.pages && ngettext("{count} page", "{count} pages", found.pages),
      ngettext("{count} word", "{count} words", found.words),
      ngettext("{count} chunk", "{count} chunks", found.chunks),
      _("a chunk is what is searched as one piece"),
    ].filter(Boolean).join(" · ");
    $("chunks").replaceChildren(...found.chunk_rows.map((chunk) => {
      const place = [chunk.heading, chunk.page ? _("page {number}", { number: chunk.page }) : null].filter(Boolean).join(" · ");
      return element("li", {}, element("p", { textContent: chunk.text, dir: "auto" }), element("small", { textContent: place }));
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

  const seenBy = (names) => (names.length ? _("Only for {groups}", { groups: names.join(", ") }) : _("For everybody"));

  function share(article) {
    const names = () => $("groups").value.split(",").map((name) => name.trim()).filter(Boolean);
    const say = () => ($("share-says").textContent = seenBy(names()));
    const before = groups[article.id] ?? [];
    $("share-of").textContent = article.title;
    $("groups").value = before.join(", ");
    $("groups").oninput = say;
    say();
    $("share").showModal();
    $("share").querySelector("form").onsubmit = (event) => {
      event.preventDefault();
      $("share").close();
      if (names().join() !== before.join()) shareWith(article, names(), before);
    };
  }

  const shareWith = (article, names, before) => attempt(async () => {
    await send(`/articles/${article.id}/groups`, "PUT", { groups: names });
    groups = await call("/groups");
    draw();
    const undo = element("button", { type: "button", textContent: _("Undo") });
    const text = _("“{title}”: {seen}", { title: article.title, seen: seenBy(names) });
    const offer = setTimeout(() => ($("undo").hidden = true), UNDO_SECONDS * 1000);
    undo.addEventListener("click", async () => {
      clearTimeout(offer);
      $("undo").hidden = true;
      await attempt(() => send(`/articles/${article.id}/groups`, "PUT", { groups: before }));
      load();
    });
    $("undo").replaceChildren(element("span", { textContent: text }), undo);
    $("undo").hidden = false;
    undo.focus();
  });

  function remove(article) {
    leaving.set(article.id, setTimeout(() => removeNow(article.id), UNDO_SECONDS * 1000));
    const keep = element("button", { type: "button", textContent: _("Undo") });
    keep.addEventListener("click", () => {
      clearTimeout(leaving.get(article.id));
      leaving.delete(article.id);
      $("undo").hidden = true;
      draw();
    });
    $("undo").replaceChildren(element("span", { textContent: _("“{title}” will be removed.", article) }), keep);
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
    sessionStorage.setItem(SENT, JSON.stringify([...leaving.keys()]));
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
      groups = hasGroups && isEditor() ? await call("/groups") : {};
      draw();
      await poll();
    });
  }

  // A removal that was sent as the page closed may come after the list that the next page asks for: it looks again.
  async function begin() {
    const sent = JSON.parse(sessionStorage.getItem(SENT) || "[]");
    await load();
    for (let looks = 0; looks < LOOKS && articles.some(({ id }) => sent.includes(id)); looks++) {
      await new Promise((done) => setTimeout(done, POLL_MS));
      await load();
    }
  }

  showAccess();
  begin();
})();
