package policy

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

// VaryFields returns the field names of a Vary field, canonical, sorted and
// without repetition.
func VaryFields(lines []string) []string {
	var fields []string
	for _, line := range lines {
		for field := range elements(line) {
			fields = append(fields, http.CanonicalHeaderKey(field))
		}
	}
	slices.Sort(fields)
	return slices.Compact(fields)
}

// VaryValue returns the value of a request's field by which variants are told apart: what
// the handler sees, lines combined. Accept-Encoding and Accept-Language are in a plain
// form, in which the handler sees them, too (RFC 9111, section 4.1). It reports false for
// a field that is absent, which is not the same as an empty one.
func VaryValue(h http.Header, field string) (string, bool) {
	lines, ok := h[field]
	if !ok || len(lines) == 0 {
		return "", false
	}
	switch field {
	case "Accept-Encoding":
		return AcceptEncoding(lines), true
	case "Accept-Language":
		return AcceptLanguage(lines), true
	default:
		return Combine(field, lines), true
	}
}

// Combine makes one line of the lines of a field (RFC 9110, section 5.3).
func Combine(field string, lines []string) string {
	if field == "Cookie" {
		return strings.Join(lines, "; ") // commas are nothing special there
	}
	return strings.Join(lines, ", ")
}

// PlainValue is VaryValue without the optional white space of a list: another client may
// have spelled the same so. No handler has seen it in that form.
func PlainValue(h http.Header, field string) (string, bool) {
	value, ok := VaryValue(h, field)
	if field == "Cookie" || field == "Accept-Encoding" || field == "Accept-Language" || strings.IndexByte(value, ',') < 0 {
		return value, ok
	}
	var plain []string
	for part := range parts(value, ',') {
		// Empty ones count: a handler that does not know lists may take ",a" for
		// something else than "a".
		plain = append(plain, trim(part))
	}
	return strings.Join(plain, ","), ok
}

// commonCodings are those of browsers, in the order in which all of them send them.
// Handlers that take the first coding that they know must find them so.
var commonCodings = []string{"gzip", "deflate", "br", "zstd"}

// AcceptEncoding returns the codings that a client takes, not how much it likes
// each: any of them is an answer it accepts. Common ones come first, as browsers spell
// them. What it refuses stays visible only where it would be taken otherwise: identity,
// the wildcard, and any coding beside a wildcard.
func AcceptEncoding(lines []string) string {
	var codings, refused []string
	wildcard := false
	for _, line := range lines {
		for element := range elements(line) {
			coding, weight := splitWeight(element)
			coding = strings.TrimPrefix(strings.ToLower(coding), "x-")
			switch {
			case weight == 0 && (coding == "identity" || coding == "*"):
				codings = append(codings, coding+";q=0")
			case weight == 0:
				refused = append(refused, coding+";q=0")
			case coding != "identity":
				codings = append(codings, coding)
				wildcard = wildcard || coding == "*"
			}
		}
	}
	if wildcard {
		codings = append(codings, refused...)
	}
	slices.SortFunc(codings, func(a, b string) int {
		return cmp.Or(cmp.Compare(rankOfCoding(a), rankOfCoding(b)), cmp.Compare(a, b))
	})
	return strings.Join(slices.Compact(codings), ", ")
}

func rankOfCoding(coding string) int {
	if i := slices.Index(commonCodings, coding); i >= 0 {
		return i
	}
	return len(commonCodings)
}

// splitWeight separates the q parameter, in thousandths (RFC 9110, section
// 12.4.2). Other parameters stay with the value.
func splitWeight(element string) (value string, weight int) {
	parts := strings.Split(element, ";")
	weight = 1000
	kept := parts[:0]
	for _, part := range parts {
		part = trim(part)
		if len(part) > 2 && part[0]|0x20 == 'q' && part[1] == '=' && len(kept) > 0 {
			weight = parseWeight(part[2:])
			continue
		}
		kept = append(kept, part)
	}
	return strings.Join(kept, ";"), weight
}

// parseWeight reads 0, 0.123, 1 or 1.000; what it cannot read counts as 1.
func parseWeight(s string) int {
	whole, fraction, _ := strings.Cut(s, ".")
	if whole != "0" || len(fraction) > 3 {
		return 1000
	}
	n, unit := 0, 100
	for i := range len(fraction) {
		if !digit(fraction[i]) {
			return 1000
		}
		n += int(fraction[i]-'0') * unit
		unit /= 10
	}
	return n
}
