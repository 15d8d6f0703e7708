"use strict";
// The pages are the same for everybody and work without this script. It adds who
// looks at them, how they came about, and the plots of the status page.

const $ = (id) => document.getElementById(id);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

for (const link of document.querySelectorAll("nav a")) {
	if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
}

// banner says how much of memcached does not answer: "all", "part" or "".
function banner(away) {
	$("away-what").textContent = (away === "all" ? "memcached" : "Part of memcached") + " does not answer.";
	$("away").hidden = !away;
}

// who looks at the page

async function me() {
	try {
		const { user, cart, away } = await (await fetch("/me.json")).json();
		banner(away);
		if (away && !$("status")) setTimeout(me, 2000); // the page of the status asks by itself
		if (user) $("account").textContent = user;
		$("cart-count").hidden = !cart;
		$("cart-count").textContent = cart;
	} catch {
		// The site itself is away: the next page will tell.
	}
}
me();

// how the page came about

function addTrip(label, status, ms) {
	const row = document.createElement("li");
	const pill = document.createElement("span");
	const hit = /;\s*hit/.test(status);
	pill.className = "pill " + (hit ? "hit" : "miss");
	pill.textContent = hit ? "from memcached" : "made anew";
	const code = document.createElement("code");
	code.textContent = status ? "Cache-Status: " + status : "no Cache-Status";
	row.append(label, pill, code, ms.toFixed(0) + " ms");
	$("trips").prepend(row);
	while ($("trips").children.length > 6) $("trips").lastChild.remove();
}

if ($("trips")) {
	const [visit] = performance.getEntriesByType("navigation");
	const timing = (visit?.serverTiming || []).find((entry) => entry.name === "cache");
	if (timing) addTrip("This visit", timing.description, visit.responseEnd - visit.requestStart);
	$("again").hidden = false;
	$("again").addEventListener("click", async () => {
		const begin = performance.now();
		const answer = await fetch(location.pathname);
		await answer.text();
		addTrip("Asked again", answer.headers.get("Cache-Status") || "", performance.now() - begin);
	});
}

// plots: each draws series of numbers over the last two minutes

const svgName = "http://www.w3.org/2000/svg";
const wide = 120, high = 100;

function svg(name, attributes) {
	const element = document.createElementNS(svgName, name);
	for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
	return element;
}

// lines splits a series where it has no number.
function lines(values, height) {
	const found = [];
	let line = null;
	values.forEach((value, i) => {
		if (value === null || value === undefined) return (line = null);
		if (!line) found.push((line = []));
		line.push([i + wide - values.length, high * (1 - Math.min(1, Math.max(0, height(value))))]);
	});
	return found;
}

// linear is a scale from nothing to top, or to what holds all values.
function linear(values, top) {
	top ||= niceTop(Math.max(0, ...values));
	return { marks: [top, top / 2, 0], height: (value) => value / top };
}

// decades is a scale on which every line is ten times the one below.
function decades(values) {
	const log = (value) => Math.log10(value);
	const least = values.length ? Math.floor(log(Math.min(...values))) : -1;
	const most = values.length ? Math.max(least + 1, Math.ceil(log(Math.max(...values)))) : 1;
	const marks = [];
	for (let power = most; power >= least; power--) marks.push(+(10 ** power).toPrecision(1));
	return { marks, height: (value) => (log(Math.max(value, 10 ** least)) - least) / (most - least) };
}

function draw(name, series, unit, scale) {
	const figure = document.querySelector(`[data-plot=${name}]`);
	const { marks, height } = scale(series.flatMap((one) => one.values).filter((value) => value > 0));
	const picture = svg("svg", { viewBox: `0 0 ${wide - 1} ${high}`, preserveAspectRatio: "none", "aria-hidden": "true" });
	marks.forEach((_, i) => picture.append(svg("path", { class: "grid", d: `M0 ${(i * high) / (marks.length - 1)}H${wide - 1}` })));
	series.forEach((one, index) => {
		for (const line of lines(one.values, height)) {
			const points = line.map((point) => point.join(",")).join(" ");
			picture.append(line.length > 1
				? svg("polyline", { class: "k" + (index % 4), points })
				: svg("path", { class: "dot k" + (index % 4), d: `M${points}h0` }));
		}
	});
	const caption = figure.querySelector("figcaption");
	const title = (caption.dataset.title ||= caption.textContent);
	caption.replaceChildren(span("", title), ...series.map((one, index) => {
		const last = one.values.at(-1);
		const key = span("key k" + (index % 4), one.name + " ");
		const value = document.createElement("b");
		value.textContent = last === null || last === undefined ? "–" : number(last) + unit;
		key.append(value);
		return key;
	}));
	const axis = document.createElement("div");
	axis.className = "axis";
	axis.append(span("", "2 min ago"), span("", "now"));
	const labels = document.createElement("div");
	labels.className = "scale";
	labels.append(...marks.map((mark) => span("", number(mark) + (mark ? unit : ""))));
	const frame = document.createElement("div");
	frame.className = "frame";
	frame.append(picture, labels);
	figure.replaceChildren(caption, frame, axis);
}

function span(className, text) {
	const element = document.createElement("span");
	element.className = className;
	element.textContent = text;
	return element;
}

const number = (value) => (value >= 100 ? value.toFixed(0) : String(+value.toPrecision(3)));

// niceTop is the next of 1, 2, 5, 10, 20 and so on.
function niceTop(value) {
	if (value <= 0) return 1;
	const unit = 10 ** Math.floor(Math.log10(value));
	return unit * [1, 2, 5, 10].find((step) => step * unit >= value * 0.999);
}

const colon = (addr) => addr.slice(addr.lastIndexOf(":"));

function show(status) {
	const { samples, servers } = status;
	const pick = (key) => samples.map((sample) => sample[key]);
	draw("pages", [{ name: "from memcached", values: pick("hits") }, { name: "made anew", values: pick("misses") }], "", linear);
	draw("ratio", [{ name: "hits", values: pick("hitRatio").map((ratio) => (ratio === null ? null : ratio * 100)) }], " %", (values) => linear(values, 100));
	draw("latency", [{ name: "median", values: pick("median") }, { name: "99 of 100", values: pick("p99") }], " ms", decades);
	draw("ops", servers.map(({ addr }) => ({ name: colon(addr), values: samples.map(({ ops }) => (ops || {})[addr] || 0) })), "", linear);

	const totals = { ...status, ratio: status.gets ? (100 * status.hits / status.gets).toFixed(1) + " %" : "–" };
	for (const cell of document.querySelectorAll("[data-total]")) cell.textContent = totals[cell.dataset.total].toLocaleString("en");
	for (const server of servers) {
		const card = document.querySelector(`[data-server="${CSS.escape(server.addr)}"]`);
		card.dataset.state = server.state;
		for (const cell of card.querySelectorAll("[data-field]")) cell.textContent = field(server, cell.dataset.field);
		card.querySelector(".cause").hidden = !server.unreachable;
	}
	const up = servers.filter((server) => server.state === "up").length;
	banner(up === servers.length ? "" : up ? "part" : "all");
}

// field is what a card says of a server. What only the server knows is "–" while
// it does not answer.
function field(server, name) {
	if (server.state !== "up" && ["items", "bytes", "evictions", "uptime", "version"].includes(name)) return "–";
	return (server[name] ?? "").toLocaleString("en") + (name === "uptime" ? " s" : "");
}

async function watch() {
	for (;;) {
		try {
			if (!document.hidden) show(await (await fetch("/status.json")).json());
		} catch {
			document.querySelectorAll("[data-server]").forEach((card) => (card.dataset.state = "unknown"));
		}
		await pause(1000);
	}
}

// visitors reads pages for a while, four at a time.
async function visitors(button) {
	button.disabled = true;
	const list = new DOMParser().parseFromString(await (await fetch("/")).text(), "text/html");
	const paths = [...list.querySelectorAll(".card a")].map((link) => link.getAttribute("href"));
	paths.push("/", "/tides?harbour=north", "/tides?harbour=mill", "/tides?harbour=lamp", "/cart");
	const end = performance.now() + 20000;
	const walk = async () => {
		while (performance.now() < end) {
			await fetch(paths[Math.floor(Math.random() * paths.length)]).then((answer) => answer.text()).catch(() => pause(500));
			await pause(30 + Math.random() * 60);
		}
	};
	await Promise.all([walk(), walk(), walk(), walk()]);
	button.disabled = false;
}

if ($("status")) {
	document.querySelector(".plots").hidden = false;
	$("visitors").hidden = false;
	$("visitors").addEventListener("click", ({ target }) => visitors(target));
	watch();
}
