// Turns what the page has rendered back into markdown, and says how much of it is certain while more is still coming.
//
// The page nests its own elements around every block and run of text, so elements that mean nothing in markdown are
// seen through. What the source looked like can't be known where markdown has several ways to say one thing (the mark of
// a list, blank lines); then it is written in the way that models use most.
//
// A growing text is certain up to the first place that the next characters could turn into something else: an opened mark
// of emphasis, code, math or a link, a row of a table, the last line of code. Such a place is marked by SURE.
() => {
  const SURE = "\uE000";
  const BLOCKS = "p, h1, h2, h3, h4, h5, h6, ul, ol, pre, ms-code-block, table, blockquote, hr, .katex-display";
  const SILENT = "button, script, style, .material-symbols-outlined, .material-icons, mat-icon, .author-label, .sr-only, .cdk-visually-hidden";
  // What the next characters may turn into a mark that changes the text before them.
  const OPENERS = /\*(?=\S|$)|(?<![\p{L}\p{N}])_(?=\S|$)|~(?=~|$)|`|\$(?=\S|$)|\[|<(?=[a-z/!]|$)|!$|\\$|&[\w#]*$|\|/iu;
  const ONLY_MARKS = /^[\s\-+*#>=~`_|:.\d)]*$/;

  const strip = (text) => text.replaceAll(SURE, "");
  const clean = (text) => text.replaceAll(SURE, "").replaceAll("\u00a0", " ");
  const silent = (node) => node.nodeType !== Node.TEXT_NODE && (node.nodeType !== Node.ELEMENT_NODE || node.matches(SILENT));
  const isBlock = (node) => node.nodeType === Node.ELEMENT_NODE && (node.matches(BLOCKS) || node.querySelector(BLOCKS) !== null);
  const indent = (text, width) => text.replaceAll("\n", `\n${" ".repeat(width)}`).replaceAll(/^ +$/gm, "");

  // A run of backticks longer than any inside.
  const fence = (text, least) => "`".repeat(Math.max(least, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)));

  const target = (href) => {
    try {
      const url = new URL(href);
      // Links of an answer lead through a page that warns of them.
      const real = url.hostname.endsWith("google.com") && url.pathname === "/url" && url.searchParams.get("q");
      return real || href;
    } catch {
      return href;
    }
  };

  const isDisplayed = (node) => node.matches(".katex-display") || node.querySelector(".katex-display") !== null;
  const formula = (node) => clean((node.querySelector("annotation") ?? node).textContent).trim();

  const wrapped = (mark, text) => {
    const [, before, inner, after] = /^(\s*)([^]*?)(\s*)$/.exec(text);
    return inner ? `${before}${mark}${inner}${mark}${after}` : text;
  };

  // What an element is written as; null for one that markdown has no word for, and whose content stands for it.
  const marked = (node) => {
    const name = node.localName;
    if (name === "br") return "  \n";
    if (name === "code" || node.matches(".inline-code")) {
      const code = clean(node.textContent);
      const mark = fence(code, 1);
      const pad = code.startsWith("`") || code.endsWith("`") ? " " : "";
      return mark + pad + code + pad + mark;
    }
    if (name === "ms-katex" || node.matches(".katex, .katex-display")) return isDisplayed(node) ? `$$${formula(node)}$$` : `$${formula(node)}$`;
    if (name === "img") {
      const source = node.getAttribute("src") ?? "";
      return /^https?:/.test(source) ? `![${node.getAttribute("alt") ?? ""}](${source})` : "";
    }
    if (name === "strong" || name === "b") return wrapped("**", inline(node));
    if (name === "em" || name === "i") return wrapped("*", inline(node));
    if (name === "del" || name === "s") return wrapped("~~", inline(node));
    if (name === "a" && node.getAttribute("href")) {
      const [href, text] = [target(node.getAttribute("href")), inline(node)];
      return href === text ? href : `[${text}](${href})`;
    }
    return null;
  };

  // `literal` collects the runs of text that stand as they are, with where each starts in what is returned.
  const inline = (node, literal = []) => {
    let written = "";
    for (const child of node.childNodes) {
      if (silent(child)) continue;
      if (child.nodeType === Node.TEXT_NODE) {
        const text = clean(child.data);
        literal.push({ at: written.length, text });
        written += text;
        continue;
      }
      const within = [];
      const text = marked(child) ?? inline(child, within);
      for (const run of within) literal.push({ at: written.length + run.at, text: run.text });
      written += text;
    }
    return written;
  };

  const paragraph = (nodes, open) => {
    const literal = [];
    const raw = inline({ childNodes: nodes }, literal);
    const text = raw.trim();
    if (!open) return text;
    if (ONLY_MARKS.test(text)) return SURE + text;
    const skipped = raw.length - raw.trimStart().length;
    for (const run of literal) {
      const opener = OPENERS.exec(run.text);
      if (!opener) continue;
      // A row of a table is one from its line's start.
      const at = run.at + (opener[0] === "|" ? run.text.lastIndexOf("\n", opener.index) + 1 : opener.index) - skipped;
      return text.slice(0, Math.max(0, at)) + SURE + text.slice(Math.max(0, at));
    }
    return text + SURE;
  };

  const language = (node) => {
    const named = node.getAttribute("data-test-language") ?? /\blanguage-([\w+#.-]+)/.exec(node.querySelector("code")?.className)?.[1];
    if (named) return named;
    const title = [...node.querySelectorAll("mat-panel-title span")].find((span) => !span.matches(SILENT));
    const text = title?.textContent.trim().toLowerCase() ?? "";
    return text === "code" ? "" : text;
  };

  const code = (node, open) => {
    const body = clean((node.querySelector("pre code") ?? node.querySelector("pre, code") ?? node).textContent).replace(/\n$/, "");
    const mark = fence(body, 3);
    const head = `${mark}${language(node)}\n`;
    if (!open) return `${head}${body}${body ? "\n" : ""}${mark}`;
    // The last line may be the beginning of the closing fence, the first what is left of the language.
    const last = body.lastIndexOf("\n") + 1;
    return last ? `${head}${body.slice(0, last)}${SURE}${body.slice(last)}\n${mark}` : `${SURE}${head}${body}\n${mark}`;
  };

  const table = (node, open) => {
    const rows = [...node.querySelectorAll("tr")].map((row) => [...row.querySelectorAll("th, td")]);
    const width = Math.max(0, ...rows.map((row) => row.length));
    const line = (cells) => `|${cells.map((cell) => (cell ? ` ${cell} ` : " ")).join("|")}|`;
    const written = rows.map((row) =>
      line(Array.from({ length: width }, (_, at) => (row[at] ? inline(row[at]).trim().replaceAll("\n", " ").replaceAll("|", "\\|") : ""))),
    );
    const rule = Array.from({ length: width }, (_, at) => {
      const align = rows[0]?.[at]?.style.textAlign || rows[0]?.[at]?.getAttribute("align") || "";
      return { left: ":---", center: ":---:", right: "---:" }[align] ?? "---";
    });
    const [head = line([]), ...body] = written;
    const above = [head, line(rule), ...body.slice(0, -1)].join("\n");
    const last = body.length ? `\n${body.at(-1)}` : "";
    if (!open) return above + last;
    return body.length ? above + SURE + last : SURE + above;
  };

  const list = (node, open) => {
    const ordered = node.localName === "ol";
    const items = [...node.children].filter((child) => child.localName === "li" || child.querySelector(":scope > li"));
    const lines = items.map((item) => (item.localName === "li" ? item : item.querySelector(":scope > li")));
    const contents = lines.map((item, at) => pieces(item, open && at === lines.length - 1));
    // An item of several blocks that aren't lists makes the list a loose one.
    const loose = lines.some((item, at) => contents[at].filter((piece) => !piece.list).length > 1);
    let number = Number(node.getAttribute("start") ?? 1);
    const written = contents.map((item) => {
      const mark = ordered ? `${number++}. ` : "- ";
      const text = item.map(({ text, list }, at) => (at === 0 ? text : (list && !loose ? "\n" : "\n\n") + text)).join("");
      return mark + indent(text, mark.length);
    });
    return written.join(loose ? "\n\n" : "\n");
  };

  const block = (node, open) => {
    const name = node.localName;
    const heading = /^h([1-6])$/.exec(name);
    if (heading) return `${"#".repeat(Number(heading[1]))} ${paragraph([...node.childNodes], open)}`;
    if (name === "ul" || name === "ol") return list(node, open);
    if (name === "pre" || name === "ms-code-block") return code(node, open);
    if (name === "table") return table(node, open);
    if (name === "blockquote") return `> ${join(pieces(node, open)).replaceAll("\n", "\n> ")}`.replaceAll(/^> $/gm, ">");
    if (name === "hr") return open ? `${SURE}---` : "---";
    const [display] = node.matches(".katex-display") ? [node] : node.querySelectorAll(".katex-display");
    if (display && display.textContent.trim() === node.textContent.trim()) {
      const shown = `$$\n${formula(display)}\n$$`;
      return open ? SURE + shown : shown;
    }
    return paragraph([...node.childNodes], open);
  };

  const leaf = (node) => node.matches(BLOCKS);

  // The blocks below a node, through whatever elements lie in between; text between blocks is a paragraph.
  const gather = (node, found) => {
    let loose = [];
    const flush = () => {
      if (loose.some((child) => child.textContent.trim() || child.querySelector?.("img"))) found.push(loose);
      loose = [];
    };
    for (const child of node.childNodes) {
      if (silent(child)) continue;
      if (!isBlock(child)) loose.push(child);
      else {
        flush();
        if (leaf(child)) found.push(child);
        else gather(child, found);
      }
    }
    flush();
    return found;
  };

  const pieces = (node, open) => {
    const found = gather(node, []);
    return found.map((each, at) => {
      const last = open && at === found.length - 1;
      if (Array.isArray(each)) return { text: paragraph(each, last), list: false };
      return { text: block(each, last), list: each.localName === "ul" || each.localName === "ol" };
    });
  };

  const join = (found) => found.map(({ text }) => text).filter((text) => strip(text)).join("\n\n");

  // The markdown of what a node shows. While more may come (`open`) it holds SURE once, where certainty ends.
  const markdown = (node, open = false) => join(pieces(node, open));

  // A text as it is told: what of it is certain, and the rest.
  const parted = (text) => {
    const at = text.indexOf(SURE);
    const plain = strip(text);
    const sure = (at < 0 ? plain : plain.slice(0, at)).trimEnd();
    return { sure, rest: plain.slice(sure.length) };
  };

  return { markdown, parted, SURE };
}
