package nodememcached

import (
	"bytes"
	"unicode/utf8"

	"github.com/bmemcached/bmemcached-go/binary/codec"
)

// escape puts a backslash before each line end (Utils.escapeValue). Without one it
// returns text itself.
func escape(text []byte) []byte {
	ends := bytes.Count(text, []byte{'\n'}) + bytes.Count(text, []byte{'\r'})
	if ends == 0 {
		return text
	}
	out := make([]byte, 0, len(text)+ends)
	for _, b := range text {
		if isLineEnd(b) {
			out = append(out, '\\')
		}
		out = append(out, b)
	}
	return out
}

// unescape takes away the backslash before each line end (Utils.unescapeValue).
func unescape(text []byte) []byte {
	if !bytes.Contains(text, []byte{'\\'}) {
		return text
	}
	out := make([]byte, 0, len(text))
	for i, b := range text {
		if b == '\\' && i+1 < len(text) && isLineEnd(text[i+1]) {
			continue
		}
		out = append(out, b)
	}
	return out
}

func isLineEnd(b byte) bool { return b == '\n' || b == '\r' }

// characters returns b as UTF-8, each byte as the character of that number: what
// Node's "binary" encoding of a Buffer becomes on a socket.
func characters(b []byte) []byte {
	out := make([]byte, 0, len(b)+len(b)/2)
	for _, c := range b {
		out = utf8.AppendRune(out, rune(c))
	}
	return out
}

// fromCharacters undoes characters.
func fromCharacters(text []byte) ([]byte, error) {
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r > 0xff {
			return nil, codec.ErrCorrupt
		}
		out = append(out, byte(r))
		text = text[n:]
	}
	return out, nil
}
