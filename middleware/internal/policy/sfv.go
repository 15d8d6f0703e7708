package policy

import "strings"

// ParseTargeted reads a targeted cache-control field (RFC 9213), a Structured
// Field dictionary (RFC 9651). It reports false, and the field must then be
// ignored, when the field is empty, does not parse, or gives a known directive
// an argument of the wrong type.
func ParseTargeted(lines []string) (Directives, bool) {
	d := noDirectives()
	p := sfParser{s: strings.Join(lines, ",")}
	p.spaces(" ")
	if p.s == "" {
		return d, false
	}
	for {
		key, item, ok := p.member()
		if !ok || !d.target(key, item) {
			return d, false
		}
		p.spaces(" \t")
		if p.s == "" {
			return d, true
		}
		if !p.take(',') {
			return d, false
		}
		p.spaces(" \t")
		if p.s == "" {
			return d, false
		}
	}
}

// target applies one member. In a dictionary the last of equal keys counts.
func (d *Directives) target(key string, item sfItem) bool {
	seconds := map[string]*Seconds{
		"max-age": &d.MaxAge, "s-maxage": &d.SMaxAge,
		"stale-while-revalidate": &d.StaleWhileRevalidate, "stale-if-error": &d.StaleIfError,
	}[key]
	if seconds != nil {
		*seconds = max(0, min(Seconds(item.integer), maxSeconds))
		return item.kind == sfInteger
	}
	flag := map[string]*bool{
		"no-store": &d.NoStore, "no-cache": &d.NoCache, "private": &d.Private, "public": &d.Public,
		"must-revalidate": &d.MustRevalidate, "proxy-revalidate": &d.ProxyRevalidate,
		"must-understand": &d.MustUnderstand, "no-transform": &d.NoTransform,
	}[key]
	if flag != nil {
		*flag = item.boolean
		return item.kind == sfBoolean
	}
	return true
}

type sfKind int

const (
	sfOther sfKind = iota
	sfInteger
	sfBoolean
)

type sfItem struct {
	kind    sfKind
	integer int64
	boolean bool
}

// sfParser reads Structured Fields, as far as telling integers and booleans
// from everything else needs it.
type sfParser struct{ s string }

func (p *sfParser) peek() byte {
	if p.s == "" {
		return 0
	}
	return p.s[0]
}

func (p *sfParser) take(c byte) bool {
	if p.s == "" || p.s[0] != c {
		return false
	}
	p.s = p.s[1:]
	return true
}

func (p *sfParser) spaces(set string) { p.s = strings.TrimLeft(p.s, set) }

// while consumes the longest prefix whose bytes satisfy f.
func (p *sfParser) while(f func(byte) bool) string {
	i := 0
	for i < len(p.s) && f(p.s[i]) {
		i++
	}
	taken := p.s[:i]
	p.s = p.s[i:]
	return taken
}

// member reads key, optional value and parameters.
func (p *sfParser) member() (string, sfItem, bool) {
	key, ok := p.key()
	if !ok {
		return "", sfItem{}, false
	}
	item := sfItem{kind: sfBoolean, boolean: true}
	if p.take('=') {
		if p.peek() == '(' {
			item, ok = sfItem{}, p.innerList()
		} else {
			item, ok = p.bareItem()
		}
	}
	return key, item, ok && p.parameters()
}

func (p *sfParser) key() (string, bool) {
	if c := p.peek(); (c < 'a' || c > 'z') && c != '*' {
		return "", false
	}
	return p.while(func(c byte) bool {
		return c >= 'a' && c <= 'z' || digit(c) || strings.IndexByte("_-.*", c) >= 0
	}), true
}

func (p *sfParser) parameters() bool {
	for p.take(';') {
		p.spaces(" ")
		if _, ok := p.key(); !ok {
			return false
		}
		if p.take('=') {
			if _, ok := p.bareItem(); !ok {
				return false
			}
		}
	}
	return true
}

func (p *sfParser) innerList() bool {
	p.take('(')
	for p.s != "" {
		p.spaces(" ")
		if p.take(')') {
			return true
		}
		if _, ok := p.bareItem(); !ok || !p.parameters() {
			return false
		}
		if c := p.peek(); c != ' ' && c != ')' {
			return false
		}
	}
	return false
}

func (p *sfParser) bareItem() (sfItem, bool) {
	switch c := p.peek(); {
	case digit(c) || c == '-':
		return p.number()
	case c == '"':
		return sfItem{}, p.quoted()
	case c == ':':
		return sfItem{}, p.bytes()
	case c == '?':
		return p.boolean()
	case c == '*' || c|0x20 >= 'a' && c|0x20 <= 'z':
		p.while(func(c byte) bool { return tokenByte(c) || c == ':' || c == '/' })
		return sfItem{}, true
	default:
		return sfItem{}, false
	}
}

func (p *sfParser) number() (sfItem, bool) {
	negative := p.take('-')
	digits := p.while(digit)
	if digits == "" || len(digits) > 15 {
		return sfItem{}, false
	}
	if p.take('.') {
		fraction := p.while(digit)
		return sfItem{}, len(digits) <= 12 && fraction != "" && len(fraction) <= 3
	}
	var n int64
	for i := range len(digits) {
		n = n*10 + int64(digits[i]-'0')
	}
	if negative {
		n = -n
	}
	return sfItem{kind: sfInteger, integer: n}, true
}

func (p *sfParser) boolean() (sfItem, bool) {
	p.take('?')
	switch {
	case p.take('1'):
		return sfItem{kind: sfBoolean, boolean: true}, true
	case p.take('0'):
		return sfItem{kind: sfBoolean}, true
	default:
		return sfItem{}, false
	}
}

func (p *sfParser) quoted() bool {
	p.take('"')
	for p.s != "" {
		c := p.s[0]
		p.s = p.s[1:]
		switch {
		case c == '"':
			return true
		case c == '\\':
			if !p.take('"') && !p.take('\\') {
				return false
			}
		case c < 0x20 || c > 0x7e:
			return false
		}
	}
	return false
}

func (p *sfParser) bytes() bool {
	p.take(':')
	p.while(func(c byte) bool {
		return digit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' || strings.IndexByte("+/=", c) >= 0
	})
	return p.take(':')
}
