// What reading an answer asks of the page: what it shows of the answer so far, and the answer's source.
// `page` is what page.js names so, `text` what markdown.js returns. An answer is all turns of the model that were not
// there before its prompt was submitted: in most builds one of thoughts and one of text.
(page, { markdown, parted }) => {
  const { find, first, composer, runState, sleep, until } = page;

  // What has to be remembered between two questions: what was there before the prompt, and what was opened.
  const state = (globalThis[Symbol.for("studiogate.reading")] ??= { before: new WeakSet(), opened: new WeakSet(), requests: 0 });

  const NOTICES = ["toast", "callout", "snackbar"];
  const HEARTBEAT_MS = 250;

  const below = (root, element) => find(element, { root, hidden: true });
  const answer = (known) =>
    find("bubble", { hidden: true }).filter((turn) => !known.includes(turn.id) && below(turn, "model_mark").length > 0);

  // Answers that the network has brought to an end, well or not, in this page's life.
  const requests = () => performance.getEntriesByType("resource").filter(({ name }) => name.includes("/GenerateContent")).length;

  // The parts of a turn in their order: text, and code that was run and its result, each with its kind.
  const parts = (turn) => {
    const kinds = ["text_part", "code_part", "result_part"];
    const found = kinds.flatMap((kind) => below(turn, kind).map((node) => ({ kind, node })));
    const own = found.filter(({ node }) => !node.closest("ms-thought-chunk") && !found.some((other) => other.node !== node && other.node.contains(node)));
    return own.sort((one, other) => (one.node.compareDocumentPosition(other.node) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
  };

  const fenced = (language, body) => {
    const longest = Math.max(2, ...[...body.matchAll(/`+/g)].map(([run]) => run.length));
    const mark = "`".repeat(longest + 1);
    return `\n${mark}${language}\n${body}${body.endsWith("\n") || !body ? "" : "\n"}${mark}\n`;
  };
  const codeOf = (node) => (node.querySelector("pre code") ?? node.querySelector("pre, code") ?? node).textContent;

  const written = ({ kind, node }, open) => {
    if (kind === "code_part") return fenced("python", codeOf(node));
    if (kind === "result_part") return fenced("", codeOf(node));
    const [large] = node.matches(".very-large-text-container") ? [node] : below(node, "large_text");
    return large ? large.textContent : markdown(node, open);
  };

  const together = (all, write) =>
    all
      .map((part, at) => {
        const apart = at > 0 && part.kind === "text_part" && all[at - 1].kind === "text_part";
        return (apart ? "\n\n" : "") + write(part, at);
      })
      .join("");

  // What is rendered of the text, as it would be written; `open` while more may come.
  const textOf = (turns, open) => {
    const all = turns.flatMap(parts);
    return together(all, (part, at) => written(part, open && at === all.length - 1));
  };

  const thoughtsOf = (turns, open) => {
    const chunks = turns.flatMap((turn) => below(turn, "thought_part"));
    const bodies = chunks.flatMap((chunk) => below(chunk, "thought_body").slice(0, 1));
    return bodies.map((body, at) => markdown(body, open && at === bodies.length - 1)).join("\n\n");
  };

  // A collapsed panel has no body. Each is opened once: another click would close it.
  const openThoughts = (turns) => {
    for (const header of turns.flatMap((turn) => below(turn, "thought_closed"))) {
      if (state.opened.has(header)) continue;
      state.opened.add(header);
      header.click();
    }
  };

  const calls = (turns) =>
    turns
      .flatMap((turn) => below(turn, "call_part"))
      .map((chunk) => ({
        name: below(chunk, "call_name")[0]?.textContent.trim() ?? "",
        arguments: below(chunk, "call_arguments")[0]?.textContent ?? "",
      }));

  const media = (turns) => turns.flatMap((turn) => below(turn, "media_part"));

  const sources = (turns) =>
    turns
      .flatMap((turn) => below(turn, "source_link"))
      .map((link) => ({ url: link.href, title: (link.getAttribute("title") ?? link.innerText).trim().replaceAll(/\s+/g, " ").slice(0, 300) }))
      .filter(({ url }) => /^https?:/.test(url));

  const said = (node) => node.innerText.trim().slice(0, 500);
  // What the page says went wrong, and where: in the answer itself, or beside it since the prompt was submitted.
  const troubles = (turns) => [
    ...turns.flatMap((turn) => below(turn, "bubble_error").map((node) => ({ where: "turn", said: said(node) }))),
    ...NOTICES.flatMap((where) =>
      find(where)
        .filter((node) => !state.before.has(node) && !node.closest(".turn-content"))
        .map((node) => ({ where, said: said(node) })),
    ),
  ].filter((each) => each.said && !/\bsaved\b/i.test(each.said));

  // CRC-32 of a text's UTF-16, low byte first: tells whether the text still begins as it was read before.
  const TABLE = Array.from({ length: 256 }, (_, byte) => {
    for (let bit = 0; bit < 8; bit += 1) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
    return byte >>> 0;
  });
  const crc = (text, units) => {
    let sum = 0xffffffff;
    for (let at = 0; at < units; at += 1) {
      const unit = text.charCodeAt(at);
      sum = TABLE[(sum ^ unit) & 0xff] ^ (sum >>> 8);
      sum = TABLE[(sum ^ (unit >>> 8)) & 0xff] ^ (sum >>> 8);
    }
    return (sum ^ 0xffffffff) >>> 0;
  };

  // What a text has more than the reader knows of it; all of it where it begins otherwise by now.
  const since = (text, { units, sum }) => {
    const { sure, rest } = parted(text);
    const same = sure.length >= units && crc(sure, units) === sum;
    return { same, sure: same ? sure.slice(units) : sure, rest };
  };

  const look = ({ known, thoughts, text }) => {
    const turns = answer(known);
    openThoughts(turns);
    const last = turns.at(-1) ?? null;
    const run = runState(composer());
    const rated = last !== null && below(last, "rating").length > 0;
    const open = !rated;
    const shown = textOf(turns, open);
    const [ownThoughts, ownText] = [since(thoughtsOf(turns, open && !shown), thoughts), since(shown, text)];
    const found = { calls: calls(turns), media: media(turns), troubles: troubles(turns) };
    const seen = {
      run,
      rated,
      loading: turns.some((turn) => below(turn, "loading_mark").length > 0),
      editable: last !== null && below(last, "edit_button").length > 0,
      asked: turns.some((turn) => below(turn, "call_response").some((input) => page.visible(input) && !input.disabled)),
      ended: requests() > state.requests,
      turns: turns.length,
      thoughts: ownThoughts,
      text: ownText,
      calls: found.calls,
      media: found.media.length,
      loaded: found.media.every((each) => each.localName !== "img" || (each.complete && each.naturalWidth > 0)),
      troubles: found.troubles,
    };
    const { thoughts: _, text: __, ...rest } = seen;
    const sizes = [ownThoughts, ownText].map(({ same, sure, rest }) => [same, sure.length, rest.length]);
    return { ...seen, digest: JSON.stringify([rest, sizes]) };
  };

  const changed = (ms) =>
    new Promise((resolve) => {
      const done = () => {
        observer.disconnect();
        clearTimeout(timer);
        resolve();
      };
      const observer = new MutationObserver(done);
      const timer = setTimeout(done, ms);
      observer.observe(document.documentElement, { subtree: true, childList: true, characterData: true, attributes: true });
    });

  // What the page shows when the pointer is over a turn.
  const hover = (turn) => {
    for (const kind of ["pointerenter", "mouseenter", "pointerover", "mouseover"]) {
      turn.dispatchEvent(new MouseEvent(kind, { bubbles: kind.endsWith("over") }));
    }
  };

  // The text that pressing something copies, caught on its way to the clipboard, which stays as it is: all tabs, and
  // whoever sits at the machine, share it.
  const caught = async (press, ms) => {
    let text = null;
    const keep = (value) => {
      text ??= value;
    };
    const onCopy = (event) => {
      const box = document.activeElement;
      keep(typeof box?.value === "string" ? box.value.slice(box.selectionStart, box.selectionEnd) : String(getSelection()));
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    const clipboard = navigator.clipboard ?? {};
    clipboard.writeText = async (value) => keep(String(value));
    clipboard.write = async (items) => {
      for (const item of items) {
        if (item.types.includes("text/plain")) keep(await (await item.getType("text/plain")).text());
      }
    };
    document.addEventListener("copy", onCopy, true);
    try {
      press();
      await until(ms, () => text !== null);
    } finally {
      delete clipboard.writeText;
      delete clipboard.write;
      document.removeEventListener("copy", onCopy, true);
    }
    return text;
  };

  const copied = async (turn, ms) => {
    turn.scrollIntoView({ block: "end" });
    hover(turn);
    const button = below(turn, "turn_options")[0];
    if (!button) return null;
    button.click();
    const item = await until(ms, () => find("copy_item").find((each) => /\bmarkdown\b/i.test(each.textContent)));
    const text = item ? await caught(() => item.click(), ms) : null;
    // Nothing may stay open: its backdrop would swallow every later click.
    await until(ms, () => {
      const backdrop = first("menu_backdrop");
      backdrop?.click();
      return backdrop === null;
    }, 20);
    return text === null ? null : [text];
  };

  const edited = async (turn, ms) => {
    turn.scrollIntoView({ block: "end" });
    hover(turn);
    const button = below(turn, "edit_button")[0];
    if (!button) return null;
    button.click();
    const boxes = (await until(ms, () => {
      const found = below(turn, "edit_box");
      return found.some((box) => box.value) ? found : null;
    })) ?? below(turn, "edit_box");
    const texts = boxes.map((box) => box.value || box.closest("[data-value]")?.getAttribute("data-value") || "");
    let pressed = null;
    await until(ms, () => {
      const stop = below(turn, "edit_end")[0];
      if (stop && stop !== pressed) stop.click();
      pressed = stop ?? pressed;
      return below(turn, "edit_box").length === 0;
    });
    return texts.length ? texts : null;
  };

  // Every text of the answer from its source, code that was run in between; null unless each text has one.
  const sourceBy = async (known, read, ms) => {
    const texts = [];
    for (const turn of answer(known)) {
      const wanted = parts(turn).filter(({ kind }) => kind === "text_part").length;
      const found = wanted ? await read(turn, ms) : [];
      if (found?.length !== wanted) return null;
      texts.push(...found);
    }
    return together(answer(known).flatMap(parts), (part) => (part.kind === "text_part" ? texts.shift() : written(part, false)));
  };

  const base64 = (blob) =>
    new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
      reader.onerror = () => reject(reader.error);
      reader.readAsDataURL(blob);
    });

  const drawn = (image) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    canvas.getContext("2d").drawImage(image, 0, 0);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  };

  return {
    // Note what there is before a prompt is submitted, so that it isn't taken for the answer's.
    begin() {
      for (const element of NOTICES) for (const node of find(element)) state.before.add(node);
      performance.setResourceTimingBufferSize(5000);
      state.requests = requests();
      return true;
    },

    // Wait until the page shows something of the answer that `last` doesn't tell of, but at least `pause_ms`.
    async watch({ last, pause_ms, ms, ...reader }) {
      const end = performance.now() + ms;
      await sleep(pause_ms);
      for (const turn of answer(reader.known).slice(-1)) turn.scrollIntoView({ block: "end" });
      for (;;) {
        const began = performance.now();
        first("preference_vote")?.click();
        const seen = look(reader);
        const now = performance.now();
        if (seen.digest !== last || now >= end) return seen;
        await changed(Math.min(end - now, HEARTBEAT_MS));
        await sleep(Math.min(3 * (now - began), HEARTBEAT_MS));
      }
    },

    // The answer's text from its sources, where the page gives them: from the editor of its turns, else from the menu
    // that copies one; as {text}, null where it gives none.
    async source({ known, ms }) {
      return { text: (await sourceBy(known, edited, ms)) ?? (await sourceBy(known, copied, ms)) };
    },

    // The same of the thoughts, which have no editor.
    async thoughts_source({ known, ms }) {
      const turns = answer(known).filter((turn) => below(turn, "thought_part").length > 0);
      const [text] = turns.length === 1 && parts(turns[0]).length === 0 ? ((await copied(turns[0], ms)) ?? []) : [];
      return { text: text ?? null };
    },

    sources: ({ known }) => sources(answer(known)),

    // A file of the answer as {mime, data}, data in base64; an image is drawn anew where the page may not read it.
    async media({ known, index }) {
      const node = media(answer(known))[index];
      if (!node) return { mime: "", data: "" };
      const redrawn = () => (node.localName === "img" ? drawn(node).catch(() => null) : null);
      let blob;
      try {
        const response = await fetch(node.currentSrc || node.src);
        blob = response.ok ? await response.blob() : await redrawn();
      } catch {
        blob = await redrawn();
      }
      return blob ? { mime: blob.type || "image/png", data: await base64(blob) } : { mime: "", data: "" };
    },
  };
}
