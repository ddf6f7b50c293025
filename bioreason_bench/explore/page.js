"use strict";
// The views of a release.  Texts of the release are data: nodes are made one by one, and no text is
// ever parsed as HTML.  Addresses:
//   #                          the world, and where to begin
//   #p/NAME                    a person        #v/VALUE   everybody who has a value
//   #q/ID                      a question      #s/TEXT    search
//   #questions/CONFIG/PATTERN/PAGE             "all" stands for any config or pattern
//   #audit, #results           laws and solvers; a model's scores

let world; // the data, with an index for each way in which they are looked up
const LONGEST_LIST = 200; // rows of a table
const PAGE = 50; // questions on a page
const SOURCES = {
  parametric: { css: "recall", word: "RECALL", text: "parametric: learnt from biographies, in the weights" },
  contextual: { css: "read", word: "READ", text: "contextual: read in the prompt" },
};
const byId = (id) => document.getElementById(id);
const source = (group) => SOURCES[group] || SOURCES.contextual;

// nodes ------------------------------------------------------------------------------------------

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}
const make = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const draw = (tag, attributes, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
const link = (address, ...children) => make("a", { href: address }, ...children);
const address = (...parts) => "#" + parts.map(encodeURIComponent).join("/");
const words = (relation) => relation.replaceAll("_", " ");
const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
const percent = (share) => (100 * share).toFixed(1);

function table(head, rows, attributes) {
  // Cells are numbers, numerals (see below), texts or nodes; numbers stand flush right.
  const isNumber = (value) => typeof value === "number" || Boolean(value && value.numeral);
  const shown = (value) => (typeof value === "number" ? value.toLocaleString("en") : (value && value.numeral) || value);
  const cell = (value) => make("td", { class: isNumber(value) ? "number" : null }, shown(value));
  const title = (text, column) => make("th", { scope: "col", class: rows.some((row) => isNumber(row[column])) ? "number" : null }, text);
  const body = rows.map((row) => make("tr", null, row.map(cell)));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": attributes.label },
    make("table", { class: attributes.class },
      make("thead", null, make("tr", null, head.map(title))),
      make("tbody", null, body)));
}
const numeral = (text) => ({ numeral: text });

function limited(items, row) {
  // The rows of the first items, and how many were left out.
  const rows = items.slice(0, LONGEST_LIST).map(row);
  return [rows, items.length > LONGEST_LIST ? make("p", { class: "faint" }, `and ${items.length - LONGEST_LIST} more`) : null];
}

// the world --------------------------------------------------------------------------------------

async function unpack(base64) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

function lists(size, each) {
  // A function that gives the pairs of a number.  `each` calls its argument with a number and a pair
  // for every pair there is; it is called twice, so that flat arrays can hold them all.
  const begin = new Int32Array(size + 1);
  each((number) => begin[number + 1]++);
  for (let k = 0; k < size; k++) begin[k + 1] += begin[k];
  const next = begin.slice(), first = new Int32Array(begin[size]), second = new Int32Array(begin[size]);
  each((number, one, two) => {
    const at = next[number]++;
    first[at] = one;
    second[at] = two;
  });
  return (number) => Array.from(first.subarray(begin[number], begin[number + 1]), (one, k) => [one, second[begin[number] + k]]);
}

function index(data) {
  world = data;
  world.number = new Map();
  world.people.forEach((name, person) => world.number.has(name) || world.number.set(name, person));
  world.valueNumber = new Map(world.values.map((value, k) => [value, k]));
  const facts = (add) => world.facts.forEach(([distances, objects], relation) => {
    let subject = 0;
    distances.forEach((distance, k) => add(relation, (subject += distance), objects[k]));
  });
  const toPeople = world.relations.map((relation) => relation.person);
  world.outgoing = lists(world.people.length, (add) => facts((relation, subject, object) => add(subject, relation, object)));
  world.incoming = lists(world.people.length, (add) => facts((relation, subject, object) => toPeople[relation] && add(object, relation, subject)));
  world.holders = lists(world.values.length, (add) => facts((relation, subject, object) => toPeople[relation] || add(object, relation, subject)));
  world.question = new Map(); // by id; a further question of the same id is "ID/CONFIG"
  world.asked = new Map(); // person or value -> questions
  for (const question of world.questions) {
    question.key = world.question.has(question.id) ? `${question.id}/${question.config}` : question.id;
    world.question.set(question.key, question);
    for (const name of new Set(question.entities)) {
      if (!world.asked.has(name)) world.asked.set(name, []);
      world.asked.get(name).push(question);
    }
  }
}

function entity(name, attributes) {
  const letter = world.number.has(name) ? "p" : world.valueNumber.has(name) ? "v" : null;
  return letter ? make("a", { href: address(letter, name), ...attributes }, name) : make("span", attributes, name);
}
const objectOf = (relation, object) =>
  entity((world.relations[relation].person ? world.people : world.values)[object]);

// texts with links -------------------------------------------------------------------------------

function linked(text, names) {
  // The text with a link for each of these names, the longest first.
  const known = [...new Set(names)].filter((name) => name && world.number.has(name)).sort((a, b) => b.length - a.length);
  if (!known.length) return [text];
  const escaped = known.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(${escaped.join("|")})(?![\\p{L}\\p{N}])`, "v");
  return text.split(pattern).map((part, k) => (k % 2 ? entity(part) : part));
}

function neighbours(name) {
  // The people whom texts about this person may name.
  const person = world.number.get(name);
  if (person === undefined) return [];
  return world.outgoing(person).filter(([relation]) => world.relations[relation].person).map(([, object]) => world.people[object]);
}

function marked(text, quotes, names) {
  // The text with links, and a mark with the number of its hop around each quoted sentence.
  for (const [hop, quote] of quotes) {
    const begin = text.indexOf(quote);
    if (begin < 0) continue;
    const others = quotes.filter(([other, same]) => other !== hop && same === quote).map(([other]) => other);
    const rest = quotes.filter(([, other]) => other !== quote);
    return [
      marked(text.slice(0, begin), rest, names),
      make("mark", null, make("b", null, `hop ${[hop, ...others].join(", ")}: `), linked(quote, names)),
      marked(text.slice(begin + quote.length), rest, names),
    ];
  }
  return linked(text, names);
}

// the graph --------------------------------------------------------------------------------------

function graphOf(person, width) {
  // Whom a person's facts lead to (right) and who leads to the person (left); one column on a phone.
  const isPerson = ([relation]) => world.relations[relation].person;
  const out = world.outgoing(person).filter(isPerson);
  const mutual = new Set(out.map(String));
  const into = world.incoming(person).filter((fact) => !mutual.has(String(fact)));
  const most = 24, step = 26, narrow = width < 640;
  const right = out.slice(0, most), left = into.slice(0, most);
  const rows = narrow ? right.length + left.length : Math.max(right.length, left.length);
  if (!rows) return null;
  const height = rows * step + 44;
  const centre = narrow ? [12, 20] : [width / 2, height / 2];
  const nodes = [];
  const place = (side, fact, k, total, offset) => {
    const [relation, other] = fact;
    const y = narrow ? 52 + (offset + k) * step : height / 2 + (k - (total - 1) / 2) * step;
    const x = narrow ? 150 : width / 2 + side * Math.min(260, width * 0.27);
    const bend = narrow
      ? `M 14 ${y - 8} Q 14 ${y} 24 ${y} H ${x - 6}`
      : `M ${centre[0]} ${centre[1]} C ${centre[0] + side * 90} ${y}, ${centre[0] + side * 90} ${y}, ${x - side * 6} ${y}`;
    const row = world.relations[relation];
    const arrow = side > 0 ? `${words(row.name)} →` : `${words(row.name)} ${narrow ? "←" : "→"}`;
    const near = narrow ? { x: 28, y: y - 3 } : { x: x - side * 10, y: y - 4, "text-anchor": side > 0 ? "end" : "start" };
    nodes.push(
      draw("path", { d: bend, class: source(row.group).css }),
      draw("text", { ...near, class: "relation" }, arrow),
      draw("a", { href: address("p", world.people[other]) },
        draw("text", { x, y: y + 4, "text-anchor": side > 0 || narrow ? "start" : "end" }, world.people[other])));
  };
  right.forEach((fact, k) => place(1, fact, k, right.length, 0));
  left.forEach((fact, k) => place(-1, fact, k, left.length, right.length));
  const name = world.people[person];
  const box = narrow ? [draw("path", { d: `M 14 28 V ${44 + (rows - 1) * step}` })] : [draw("rect", { x: centre[0] - name.length * 4.6 - 8, y: centre[1] - 15, width: name.length * 9.2 + 16, height: 30, rx: 8, fill: "var(--paper)", stroke: "var(--line)" })];
  nodes.push(...box, draw("text", { x: centre[0], y: centre[1] + 5, class: "centre", "text-anchor": narrow ? "start" : "middle" }, name));
  const hidden = out.length - right.length + into.length - left.length;
  return [
    draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `People next to ${name}` }, nodes),
    make("p", { class: "faint small" }, make("span", { class: "recall" }, "dashed: recalled"), " · ", make("span", { class: "read" }, "solid: read"),
      ` · ${narrow ? "→ of this person's own facts, ← of others'" : "left: people whose facts lead here; right: people to whom this person's facts lead"}`,
      hidden ? ` · ${hidden} more in the tables below` : ""),
  ];
}

// views ------------------------------------------------------------------------------------------

function home() {
  const about = world.about;
  const facts = world.facts.reduce((sum, [subjects]) => sum + subjects.length, 0);
  const configs = Object.entries(about.test).map(([config, total]) => {
    const shown = world.questions.filter((question) => question.config === config).length;
    return [link(address("questions", config, "all", 1), config), total, shown];
  });
  return ["The world", [
    make("h1", { tabindex: "-1" }, `A world of ${count(world.people.length, "person", "people")}`),
    make("p", null, `Preset ${world.title}: ${count(facts, "fact")} about fictional people, and multi-hop questions about them. A hop is `,
      make("b", { class: "recall" }, "recalled"), " from a biography that a model was trained on, or ", make("b", { class: "read" }, "read"), " in the prompt."),
    make("p", { class: "row" },
      world.questions.length ? link(address("q", pick(world.questions).key), "a question at random") : null,
      world.people.length ? link(address("p", pick(world.people)), "a person at random") : null,
      link("#audit", "what the audit found")),
    world.scores.length ? [make("h2", null, "Results"), scoreTable()] : null,
    make("h2", null, "Test questions"),
    table(["config", "in the release", "in this page"], configs, { label: "Test questions by config" }),
    make("p", { class: "faint small" }, `Written by bioreason ${about.version}. Licence: ${about.license}. Not for training: ${about.canary}`),
  ]];
}
const pick = (items) => items[Math.floor(Math.random() * items.length)];

function personView(name) {
  const person = world.number.get(name);
  if (person === undefined) return missing(`Nobody is called ${name}.`, name);
  const names = neighbours(name);
  const biographies = Object.entries(world.biographies).map(([group, texts]) => make("section", null,
    make("h2", { class: source(group).css }, `${group[0].toUpperCase()}${group.slice(1)} biography`),
    texts[person]
      ? make("p", { class: "biography", "data-group": group }, linked(texts[person].replaceAll("\n", () => name), names)) // its own name stands as a line break
      : make("p", { class: "faint" }, `None: ${group === "parametric" ? "no model is trained on this person" : "this person is never read about"}.`)));
  const facts = world.outgoing(person).map(([relation, object]) => {
    const { group, name: text } = world.relations[relation];
    return [make("span", { class: source(group).css }, words(text)), objectOf(relation, object), make("span", { class: "faint" }, group)];
  });
  const [from, more] = limited(world.incoming(person), ([relation, subject]) =>
    [entity(world.people[subject]), make("span", { class: source(world.relations[relation].group).css }, words(world.relations[relation].name))]);
  return [name, [
    make("h1", { tabindex: "-1" }, name),
    make("div", { id: "graph", "data-person": person }),
    make("div", { class: "columns" }, biographies),
    make("div", { class: "columns" },
      make("section", null, make("h2", null, "Facts"), table(["relation", "object", "group"], facts, { label: "Facts" })),
      make("section", null, make("h2", null, `Named in ${count(world.incoming(person).length, "fact")} of others`),
        from.length ? table(["person", "relation"], from, { label: "Facts of others" }) : null, more)),
    make("h2", null, "Questions in this page"),
    questionTable(world.asked.get(name) || []),
  ]];
}

function valueView(value) {
  const number = world.valueNumber.get(value);
  if (number === undefined) return missing(`No fact has the value ${value}.`, value);
  const [rows, more] = limited(world.holders(number), ([relation, subject]) =>
    [entity(world.people[subject]), make("span", { class: source(world.relations[relation].group).css }, words(world.relations[relation].name))]);
  return [value, [
    make("h1", { tabindex: "-1" }, value),
    make("p", { class: "faint" }, `The object of ${count(world.holders(number).length, "fact")}.`),
    table(["person", "relation"], rows, { label: `Facts with ${value}` }), more,
    make("h2", null, "Questions in this page"),
    questionTable(world.asked.get(value) || []),
  ]];
}

function questionTable(questions) {
  if (!questions.length) return make("p", { class: "faint" }, "None.");
  const scored = questions.some((question) => world.answers[question.id]);
  const [rows, more] = limited(questions, (question) => [
    link(address("q", question.key), question.question), question.config, make("code", null, question.pattern),
    ...(scored ? [verdicts(question)] : []),
  ]);
  return [table(["question", "config", "pattern", ...(scored ? ["answers"] : [])], rows, { label: "Questions", class: "stack" }), more];
}

function verdicts(question) {
  return answersTo(question).map((answer) => [verdict(answer), " "]);
}
function verdict(answer) {
  if (answer.samples) return make("span", null, `${answer.right} of ${answer.samples} samples right`);
  return answer.exact_match ? make("span", { class: "good" }, "✓ right") : make("span", { class: "bad" }, "✗ wrong");
}
const answersTo = (question) => world.answers[question.id] || [];

function questionView(...parts) {
  const question = world.question.get(parts.join("/"));
  if (!question) return missing(`This page has no question ${parts.join("/")}.`, parts[0] || "");
  const position = world.questions.indexOf(question);
  const step = (k, text) => world.questions[k] ? link(address("q", world.questions[k].key), text) : make("span", { class: "faint" }, text);
  const chain = [...question.entities, ...question.entities.flatMap(neighbours)];
  const hops = question.hops.map((hop, k) => {
    const { css, word } = hop.source === "weights" ? SOURCES.parametric : SOURCES.contextual;
    const where = hop.source === "weights"
      ? ["recalled from ", entity(hop.subject), "’s parametric biography"]
      : hop.biography ? [make("a", { href: "#content", "data-jump": hop.biography }, `read in biography ${hop.biography} of ${question.context.length}`)] : ["not stated in the context"];
    const failed = answersTo(question).filter((answer) => answer.first_error === k);
    return make("li", null,
      make("span", { class: `badge ${css}` }, word), " ", entity(hop.subject), ` → ${words(hop.relation)} → `, make("b", null, entity(hop.object)),
      make("blockquote", null, hop.text ? ["“", linked(hop.text, [hop.subject, hop.object]), "” "] : null, make("span", { class: "faint small" }, where)),
      failed.length ? make("p", { class: "bad small" }, `first wrong hop of ${failed.map((answer) => `${answer.model} (${answer.task}): ${answer.error_kind || "wrong"}`).join(", ")}`) : null);
  });
  const context = question.context.map((text, k) => {
    const quotes = question.hops.map((hop, at) => [at + 1, hop]).filter(([, hop]) => hop.biography === k + 1 && hop.printed).map(([at, hop]) => [at, hop.printed]);
    const about = question.people[k] || "";
    const names = [...chain, ...neighbours(about)].filter((name) => name !== about);
    return make("section", { class: "biography", id: `biography-${k + 1}`, tabindex: "-1" },
      make("h3", null, `${k + 1}  `, entity(about)), make("p", null, marked(text, quotes, names)));
  });
  return [question.question, [
    make("p", { class: "faint small row" }, make("code", null, question.id), link(address("questions", question.config, "all", 1), question.config),
      make("span", null, "pattern ", make("code", null, question.pattern)), step(position - 1, "← previous"), step(position + 1, "next →")),
    make("h1", { tabindex: "-1" }, question.question),
    make("p", null, "Answer: ", entity(question.answer, { class: "answer", id: "answer" })),
    make("ol", { class: "hops" }, hops),
    make("p", { class: "faint small" }, `Training: ${question.training}.`),
    Object.entries(question.more).map(([name, text]) => make("p", { class: "small" }, `${words(name)}: `, linked(text, chain))),
    answersTo(question).length ? [make("h2", null, "Answers"), answersTo(question).map(answerPanel)] : null,
    make("h2", null, "Chain"), make("p", null, linked(question.chain, chain)),
    context.length ? [make("h2", null, `Context: ${count(context.length, "biography", "biographies")}`), context] : null,
  ]];
}

function answerPanel(answer) {
  const details = [
    answer.process_verified === null || answer.samples ? null : answer.process_verified ? "every hop right" : "the chain is not right",
    answer.first_error === null ? null : `first wrong hop: ${answer.first_error + 1}${answer.error_kind ? ` (${answer.error_kind})` : ""}`,
  ].filter(Boolean).join("; ");
  return make("div", { class: "panel" },
    make("p", null, verdict(answer), " ", make("b", null, answer.model), make("span", { class: "faint" }, ` on ${answer.task}${details ? `: ${details}` : ""}`)),
    answer.completion.join("") ? make("pre", null, answer.completion.join("\n").trim()) : null);
}

function listView(config = "all", pattern = "all", page = "1") {
  const all = "all";
  const inConfig = world.questions.filter((question) => config === all || question.config === config);
  const found = inConfig.filter((question) => pattern === all || question.pattern === pattern);
  const patterns = [...new Set(inConfig.map((question) => question.pattern))].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  const configs = [...new Set(world.questions.map((question) => question.config))];
  const pages = Math.max(1, Math.ceil(found.length / PAGE)), current = Math.min(pages, Math.max(1, parseInt(page, 10) || 1));
  const choice = (label, options, chosen, go) => {
    const select = make("select", null, [all, ...options].map((option) => make("option", { value: option, selected: option === chosen }, option)));
    select.addEventListener("change", () => { location.hash = go(select.value); });
    return make("label", null, `${label} `, select);
  };
  const turn = (to, text) => (to >= 1 && to <= pages ? link(address("questions", config, pattern, to), text) : make("span", { class: "faint" }, text));
  return ["Questions", [
    make("h1", { tabindex: "-1" }, count(found.length, "question")),
    make("p", { class: "row" },
      choice("config", configs, config, (value) => address("questions", value, "all", 1)),
      choice("pattern", patterns, pattern, (value) => address("questions", config, value, 1)),
      found.length ? link(address("q", pick(found).key), "one at random") : null),
    make("p", { class: "faint small" }, "A pattern has a letter for each hop: P is recalled (parametric), C is read (contextual)."),
    questionTable(found.slice((current - 1) * PAGE, current * PAGE)),
    pages > 1 ? make("p", { class: "row" }, turn(current - 1, "← previous"), `page ${current} of ${pages}`, turn(current + 1, "next →")) : null,
  ]];
}

function auditView() {
  const audit = world.audit;
  if (!audit) {
    return ["Audit", [make("h1", { tabindex: "-1" }, "No audit yet"), make("p", null, "Run bioreason verify with --write, then write this page again.")]];
  }
  const solvers = [...new Set(Object.values(audit.solvers).flatMap(Object.keys))];
  const score = (one) => !one ? "" : numeral(make("span", { title: `${one.questions} questions` }, percent(one.score), one.shortcut ? make("span", { class: "faint" }, ` (${percent(one.chance)})`) : null));
  const rows = Object.entries(audit.solvers).map(([config, scores]) => [config, ...solvers.map((name) => score(scores[name]))]);
  const laws = Object.entries(audit.laws).map(([name, law]) => [
    make("span", { class: law.broken ? "bad" : null }, `${law.broken ? "✗" : law.checked ? "✓" : "–"} ${name}`),
    [law.text, law.first ? make("p", { class: "bad small" }, `first: ${law.first.file}${law.first.row === null ? "" : `, row ${law.first.row}`}: ${law.first.expected}`) : null],
    law.checked, law.broken,
  ]);
  const held = Object.values(audit.laws).filter((law) => !law.broken).length;
  return ["Audit", [
    make("h1", { tabindex: "-1" }, "Audit"),
    make("p", { class: audit.ok ? "good" : "bad" }, `${audit.ok ? "✓" : "✗"} ${held} of ${count(laws.length, "law")} hold.`),
    audit.current ? null : make("p", { class: "bad" }, "This audit is of another state of the release: run bioreason verify with --write again."),
    make("h2", null, "Solvers"),
    make("p", null, "Right answers in per cent. A solver is a program without a model. Where its way is a shortcut, chance stands in brackets, and it should be no better."),
    table(["config", ...solvers], rows, { label: "Solvers", class: "wide" }),
    make("h2", null, "Laws"),
    table(["law", "what must hold", "checked", "broken"], laws, { label: "Laws", class: "stack" }),
  ]];
}

function scoreTable() {
  const rows = world.scores.map((row) => [row.model, row.task, row.questions, numeral(percent(row.value)), numeral(`${percent(row.low)}–${percent(row.high)}`)]);
  return table(["model", "task", "questions", "right, %", "95 % interval"], rows, { label: "Scores" });
}

function resultsView() {
  const wrong = world.questions.filter((question) => answersTo(question).some((answer) => !answer.exact_match && !answer.samples));
  const answered = world.questions.filter((question) => answersTo(question).length);
  return ["Results", [
    make("h1", { tabindex: "-1" }, "Results"),
    world.scores.length ? scoreTable() : make("p", { class: "faint" }, "Write this page with --results to see a model’s answers here."),
    make("h2", null, `${count(wrong.length, "question")} with a wrong answer, of ${answered.length} in this page`),
    questionTable(wrong),
  ]];
}

function missing(text, words) {
  return ["Not found", [make("h1", { tabindex: "-1" }, "Not found"), make("p", null, text), words ? make("p", null, link(address("s", words), `Search for “${words}”`)) : null]];
}

// search -----------------------------------------------------------------------------------------

const folded = (text) => text.normalize("NFD").replace(/\p{M}/gv, "").toLowerCase();

function search(text, most) {
  // {people, values, questions}: what contains the text, beginnings of words first.
  world.folded ||= { people: world.people.map(folded), values: world.values.map(folded), questions: world.questions.map((question) => folded(`${question.question} ${question.id}`)) };
  const wanted = folded(text.trim()), found = {};
  for (const [part, texts] of Object.entries(world.folded)) {
    const first = [], rest = [];
    for (let k = 0; wanted && k < texts.length && first.length < most; k++) {
      const at = texts[k].indexOf(wanted);
      if (at === 0 || texts[k][at - 1] === " ") first.push(k);
      else if (at > 0 && rest.length < most) rest.push(k);
    }
    found[part] = [...first, ...rest].slice(0, most).map((k) => world[part][k]);
  }
  return found;
}
const hits = ({ people, values, questions }) => [
  ...people.map((name) => [address("p", name), name, "person"]),
  ...values.map((value) => [address("v", value), value, "value"]),
  ...questions.map((question) => [address("q", question.key), question.question, question.id]),
];

function searchView(text = "") {
  const found = search(text, LONGEST_LIST);
  const part = (title, rows) => (rows.length ? [make("h2", null, title), make("ul", null, rows.map((row) => make("li", null, row)))] : null);
  const total = found.people.length + found.values.length + found.questions.length;
  return [`Search: ${text}`, [
    make("h1", { tabindex: "-1" }, `“${text}”`),
    total ? null : make("p", null, "Nothing was found."),
    part("People", found.people.map((name) => entity(name))),
    part("Values", found.values.map((value) => entity(value))),
    part("Questions", found.questions.map((question) => link(address("q", question.key), question.question))),
  ]];
}

function setUpSearch() {
  const form = byId("search"), input = byId("text"), list = byId("suggestions");
  const close = () => { list.hidden = true; list.replaceChildren(); };
  input.addEventListener("input", () => {
    const rows = input.value.trim().length > 1 ? hits(search(input.value, 6)).slice(0, 12) : [];
    list.replaceChildren(...rows.map(([to, text, hint]) => make("li", null, make("a", { href: to }, text, make("small", null, `  ${hint}`)))));
    list.hidden = !rows.length;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text) return;
    const to = world.number.has(text) ? address("p", text) : world.question.has(text) ? address("q", text) : address("s", text);
    if (location.hash === to) show(true);
    location.hash = to;
    close();
  });
  form.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")], at = links.indexOf(document.activeElement);
    if (event.key === "ArrowDown" && links.length) links[Math.min(at + 1, links.length - 1)].focus();
    else if (event.key === "ArrowUp" && at >= 0) (links[at - 1] || input).focus();
    else if (event.key === "Escape") { close(); input.focus(); }
    else return;
    event.preventDefault();
  });
  form.addEventListener("focusout", (event) => { if (!form.contains(event.relatedTarget)) close(); });
  list.addEventListener("click", () => { input.value = ""; close(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !/^(?:INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      input.focus();
      input.select();
    }
  });
}

// light and dark ---------------------------------------------------------------------------------

function setUpTheme() {
  const themes = ["auto", "light", "dark"], button = byId("theme");
  const read = () => { try { return localStorage.getItem("bioreason-theme"); } catch { return null; } };
  const apply = (theme) => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.textContent = `${{ auto: "◐", light: "☀", dark: "☾" }[theme]} ${theme}`;
    button.setAttribute("aria-label", `Colours: ${theme}; press to change`);
    button.dataset.now = theme;
  };
  button.addEventListener("click", () => {
    const next = themes[(themes.indexOf(button.dataset.now) + 1) % themes.length];
    apply(next);
    try { localStorage.setItem("bioreason-theme", next); } catch { /* not allowed here: lasts until the page is closed */ }
  });
  apply(themes.includes(read()) ? read() : "auto");
}

// showing a view ---------------------------------------------------------------------------------

const VIEWS = { "": home, p: personView, v: valueView, q: questionView, s: searchView, questions: listView, audit: auditView, results: resultsView };

function parts() {
  try {
    return location.hash.slice(1).split("/").map(decodeURIComponent);
  } catch {
    return ["not an address"]; // a broken escape such as %E0%A4%A
  }
}

function show(moved) {
  const [name, ...rest] = parts();
  const view = Object.hasOwn(VIEWS, name) ? VIEWS[name] : () => missing("There is no such view.", "");
  const [title, nodes] = view(...rest);
  byId("content").replaceChildren(...nodes.flat(Infinity).filter(Boolean));
  document.title = `${title} · bioreason`;
  const links = [["", "world"], ["questions", "questions"], ["audit", "audit"], ...(world.scores.length ? [["results", "results"]] : [])];
  byId("views").replaceChildren(...links.map(([to, text]) => make("a", { href: `#${to}`, "aria-current": to === name ? "page" : null }, text)));
  drawGraph();
  if (moved) {
    scrollTo(0, 0);
    document.querySelector("main h1").focus({ preventScroll: true });
  }
}

function drawGraph() {
  const place = byId("graph");
  if (place) place.replaceChildren(...(graphOf(Number(place.dataset.person), Math.round(place.clientWidth)) || []));
}

async function start() {
  setUpTheme();
  try {
    index(await unpack(byId("data").textContent));
  } catch (error) {
    byId("loading").textContent = `The world cannot be shown: ${error.message}. This page needs a browser of 2024 or later.`;
    throw error;
  }
  byId("data").remove();
  setUpSearch();
  addEventListener("hashchange", () => show(true));
  addEventListener("resize", drawGraph);
  byId("content").addEventListener("click", (event) => {
    const jump = event.target.closest("[data-jump]");
    if (!jump) return;
    event.preventDefault();
    const target = byId(`biography-${jump.dataset.jump}`);
    target.scrollIntoView({ block: "center" });
    target.focus({ preventScroll: true });
  });
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address names the view
    document.querySelector("main h1").focus();
  });
  show(false);
  document.documentElement.dataset.ready = "yes";
}
start();
