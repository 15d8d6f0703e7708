package policy

import "github.com/dunglas/httpsfv"

// ParseTargeted reads a targeted cache-control field (RFC 9213), a Structured
// Field dictionary (RFC 9651). It reports false, and the field must then be
// ignored, when the field is empty, does not parse, or gives a known directive
// an argument of the wrong type.
func ParseTargeted(lines []string) (Directives, bool) {
	d := noDirectives()
	members, err := httpsfv.UnmarshalDictionary(lines)
	if err != nil || len(members.Names()) == 0 {
		return d, false
	}
	for _, name := range members.Names() {
		member, _ := members.Get(name)
		item, _ := member.(httpsfv.Item) // a list has no value that a directive knows
		if !d.target(name, item.Value) {
			return d, false
		}
	}
	return d, true
}

// target applies one directive, and reports false if its value is of the wrong
// type. Directives that nobody here knows are left alone, whatever their value.
func (d *Directives) target(name string, value any) (ok bool) {
	seconds := map[string]*Seconds{
		"max-age": &d.MaxAge, "s-maxage": &d.SMaxAge,
		"stale-while-revalidate": &d.StaleWhileRevalidate, "stale-if-error": &d.StaleIfError,
	}[name]
	if seconds != nil {
		var n int64
		n, ok = value.(int64)
		*seconds = max(0, min(Seconds(n), maxSeconds))
		return ok
	}
	flag := map[string]*bool{
		"no-store": &d.NoStore, "no-cache": &d.NoCache, "private": &d.Private, "public": &d.Public,
		"must-revalidate": &d.MustRevalidate, "proxy-revalidate": &d.ProxyRevalidate,
		"must-understand": &d.MustUnderstand, "no-transform": &d.NoTransform,
	}[name]
	if flag != nil {
		*flag, ok = value.(bool)
		return ok
	}
	return true
}
