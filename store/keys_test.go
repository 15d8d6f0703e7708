package store

import (
	"errors"
	"strings"
	"testing"
)

var awkward = []string{
	"", " ", "\x00", "\x00\x00", "\x00tag\x00", "\x00tag\x00t", "\x00key\x00", "\x00key\x00\x00tag\x00t",
	"\x00generation\x00", "tag\x00t", "a b", "a\nb", "h\u00e9llo", "\u4e16\u754c", "\xff\xfe",
	"user:42", "~sha256~", "~sha256~x", "gocache_tag_t",
	strings.Repeat("k", 249), strings.Repeat("k", 250), strings.Repeat("k", 251), strings.Repeat("k", 252),
	strings.Repeat("k", 100000), strings.Repeat("k", 100001), strings.Repeat("\u4e16", 100),
}

func TestKeys_AreValidAndDistinct(t *testing.T) {
	for _, prefix := range []string{"", "app:", "with space ", strings.Repeat("p", 300)} {
		seen := make(map[string]string)
		note := func(what, key string) {
			if len(key) == 0 || len(key) > maxKeyLen || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
				t.Errorf("prefix %.10q: %.40q has the invalid key %.40q", prefix, what, key)
			}
			if other, ok := seen[key]; ok {
				t.Errorf("prefix %.10q: %.40q and %.40q share the key %q", prefix, what, other, key)
			}
			seen[key] = what
		}
		all := append([]string(nil), awkward...)
		for _, s := range awkward { // what maps somewhere must not be a way in
			all = append(all, itemKey("", s), tagKey("", s))
		}
		all = append(all, generationKey(""), generationKey(prefix))
		names := make(map[string]bool)
		for _, s := range all {
			if !names[s] {
				names[s] = true
				note("key "+s, itemKey(prefix, s))
				note("tag "+s, tagKey(prefix, s))
			}
		}
		note("generation", generationKey(prefix))
	}
}

func TestKeys_ValidOnesStayAsTheyAre(t *testing.T) {
	for _, key := range []string{"user:42", "k", strings.Repeat("k", 250), "h\u00e9llo"} {
		if got := itemKey("", key); got != key {
			t.Errorf("itemKey(%q) = %q, want it unchanged", key, got)
		}
		if got := itemKey("p:", key); len(key) < 240 && got != "p:"+key {
			t.Errorf("itemKey(p:, %q) = %q, want prefix and key", key, got)
		}
	}
}

func TestKeys_OnlyStrings(t *testing.T) {
	for _, key := range []any{nil, 1, []byte("k"), struct{}{}, errors.New("k"), new(string)} {
		if s, err := keyString(key); !errors.Is(err, ErrKeyType) {
			t.Errorf("keyString(%T) = %q, %v, want ErrKeyType", key, s, err)
		}
	}
}

func FuzzKeys_Distinct(f *testing.F) {
	f.Add("", "a", "b")
	f.Add("p", "\x00tag\x00a", "a")
	f.Fuzz(func(t *testing.T, prefix, a, b string) {
		if a != b && itemKey(prefix, a) == itemKey(prefix, b) {
			t.Errorf("keys %q and %q are one", a, b)
		}
		if a != b && tagKey(prefix, a) == tagKey(prefix, b) {
			t.Errorf("tags %q and %q are one", a, b)
		}
		if itemKey(prefix, a) == tagKey(prefix, b) || itemKey(prefix, a) == generationKey(prefix) {
			t.Errorf("key %q is metadata", a)
		}
	})
}
