package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// printer collects the text of a result.
type printer struct {
	bytes.Buffer
	terminal bool // a person reads it
}

// line prints a line of which nothing but its end is a control character.
func (p *printer) line(format string, args ...any) {
	p.WriteString(printable(fmt.Sprintf(format, args...), ""))
	p.WriteByte('\n')
}

// value prints bytes that somebody stored: as they are, except on a terminal,
// which they could take over. There they end with the line.
func (p *printer) value(value []byte, raw bool) {
	if raw || !p.terminal {
		p.Write(value)
		return
	}
	p.WriteString(printable(string(value), "\n\t"))
	if !bytes.HasSuffix(value, []byte("\n")) {
		p.WriteByte('\n')
	}
}

// printable replaces what is not seen on a terminal but acts there by escapes
// like those of Go: control characters, characters without a glyph such as
// those that reverse the direction, and bytes that are not UTF-8. The
// characters in keep stay.
func printable(s, keep string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r), strings.ContainsRune(keep, r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
		i += size
	}
	return b.String()
}

// encodeJSON returns v in JSON with a line end. What printable would replace is
// written as \u escapes, which mean the same.
func encodeJSON(v any) ([]byte, error) {
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for _, r := range plain.String() {
		switch {
		case unicode.IsPrint(r), r == '\n':
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.Bytes(), nil
}
