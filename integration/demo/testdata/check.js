// check returns what is wrong with the page that is shown, for a window as wide
// as given, as a list of sentences.
((width) => {
	const wrong = [];
	const name = (e) => {
		const id = e.id ? "#" + e.id : typeof e.className === "string" && e.className ? "." + e.className.split(" ").join(".") : "";
		return `<${e.localName}${id}> “${(e.innerText || "").trim().slice(0, 40)}”`;
	};
	const shown = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && e.getClientRects().length > 0;
	const elements = [...document.body.querySelectorAll("*")].filter((e) => shown(e) && !e.closest("svg"));

	// size: nothing sticks out, nothing is cut off
	if (document.documentElement.scrollWidth > width) wrong.push(`the page is ${document.documentElement.scrollWidth} wide in a window of ${width}`);
	for (const e of elements) {
		const box = e.getBoundingClientRect();
		if (box.right > width + 1 || box.left < -1) wrong.push(`${name(e)} sticks out of the window: ${box.left} to ${box.right}`);
		if (getComputedStyle(e).overflowX !== "visible" && e.scrollWidth > e.clientWidth + 1) wrong.push(`${name(e)} is cut off`);
		if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline" && e.clientWidth > 0) wrong.push(`the content of ${name(e)} is wider than it`);
	}
	// words do not lie on other words
	const words = [];
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let node; (node = walker.nextNode()); ) {
		if (!node.data.trim() || !shown(node.parentElement) || node.parentElement.closest("noscript")) continue;
		const range = document.createRange();
		range.selectNodeContents(node);
		for (const box of range.getClientRects()) words.push({ node, box });
	}
	words.forEach((a, i) => words.slice(i + 1).forEach((b) => {
		const across = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
		const down = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
		const least = Math.min(a.box.height, b.box.height);
		if (a.node !== b.node && across > 2 && down > least * 0.4) wrong.push(`“${a.node.data.trim()}” lies on “${b.node.data.trim()}”`);
	}));

	// contrast: 4.5 to 1, for large letters 3 to 1 (WCAG 2.2, 1.4.3)
	const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
	const rgba = (colour) => {
		canvas.clearRect(0, 0, 1, 1);
		canvas.fillStyle = colour;
		canvas.fillRect(0, 0, 1, 1);
		return [...canvas.getImageData(0, 0, 1, 1).data];
	};
	const over = (top, under) => top.map((value, i) => (i === 3 ? 255 : (value * top[3] + under[i] * (255 - top[3])) / 255));
	const behind = (e) => {
		const layers = [];
		for (; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
		return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 255]);
	};
	const luminance = (colour) => {
		const [r, g, b] = colour.map((value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const contrast = (a, b) => {
		const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
		return (high + 0.05) / (low + 0.05);
	};
	for (const e of new Set(words.map((word) => word.node.parentElement))) {
		if (e.closest(":disabled")) continue;
		const style = getComputedStyle(e), size = parseFloat(style.fontSize);
		const least = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
		const back = behind(e), got = contrast(over(rgba(style.color), back), back);
		if (got < least) wrong.push(`${name(e)} has a contrast of ${got.toFixed(2)}, less than ${least}`);
	}
	for (const e of document.querySelectorAll("input:not([type=hidden])")) {
		const back = behind(e.parentElement), edge = rgba(getComputedStyle(e).borderTopColor);
		if (contrast(over(edge, back), back) < 3) wrong.push(`the edge of the field ${e.name} has a contrast of ${contrast(over(edge, back), back).toFixed(2)}, less than 3`);
	}
	for (const e of document.querySelectorAll("input[placeholder]")) {
		const back = behind(e), got = contrast(over(rgba(getComputedStyle(e, "::placeholder").color), back), back);
		if (got < 4.5) wrong.push(`the placeholder of ${e.name} has a contrast of ${got.toFixed(2)}, less than 4.5`);
	}
	for (const line of document.querySelectorAll(".plot polyline, .tide .line")) {
		const back = behind(line.closest(".panel")), got = contrast(over(rgba(getComputedStyle(line).stroke), back), back);
		if (got < 3) wrong.push(`a line of a plot has a contrast of ${got.toFixed(2)}, less than 3`);
	}

	// names and structure
	for (const e of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
		if (!e.labels.length || !e.labels[0].innerText.trim()) wrong.push(`the field ${e.name} has no label`);
	}
	const buttons = elements.filter((e) => e.matches("button, a[href]"));
	for (const e of buttons) {
		if (!(e.getAttribute("aria-label") || e.innerText).trim()) wrong.push(`${name(e)} has no name`);
		const box = e.getBoundingClientRect(), inText = getComputedStyle(e).display === "inline" && e.closest("p, li");
		if (!inText && (box.width < 24 || box.height < 24)) wrong.push(`${name(e)} is ${box.width} by ${box.height}, too small to hit`);
	}
	const headings = [...document.querySelectorAll("h1, h2, h3, h4")].filter(shown).map((e) => +e.localName[1]);
	if (headings.filter((level) => level === 1).length !== 1) wrong.push("the page has not one h1");
	headings.forEach((level, i) => i && level > headings[i - 1] + 1 && wrong.push(`an h${level} follows an h${headings[i - 1]}`));
	if (!document.documentElement.lang || !document.title) wrong.push("the page has no language or no title");
	if (document.querySelectorAll("main").length !== 1) wrong.push("the page has not one main part");
	const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
	ids.forEach((id, i) => ids.indexOf(id) !== i && wrong.push(`two elements have the ID ${id}`));

	// what the Content-Security-Policy forbids, also where no browser asks
	for (const e of document.querySelectorAll("*")) {
		for (const { name: attribute } of e.attributes) {
			if (attribute.startsWith("on") || attribute === "style") wrong.push(`${name(e)} has the attribute ${attribute}`);
		}
		if (e.localName === "style" || (e.localName === "script" && !e.src)) wrong.push(`${name(e)} is in the page`);
	}
	return wrong;
})
