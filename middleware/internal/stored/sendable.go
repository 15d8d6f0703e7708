package stored

import (
	"net/http"
	"strconv"

	"github.com/bmemcached/bmemcached-go/middleware/internal/policy"
)

// maxFields bounds the fields of an entry, and their values: a value in memcached
// of some bytes must not become a header that takes a hundred times as many.
const maxFields = 1 << 10

// Sendable reports whether fields may become part of a response with a body of size
// bytes. Neither a name nor a value may end the line or the header early, and nothing
// but the server decides how the message is framed: whoever can write to memcached
// must not be able to make two responses of one.
func Sendable(fields []Field, size int64) bool {
	values := 0
	for i := range fields {
		f := &fields[i]
		if !canonical(f.Name) || policy.IsHopByHop(f.Name) || f.Name == "Trailer" {
			return false
		}
		if f.Name == "Content-Length" && !f.isLength(size) {
			return false
		}
		for _, value := range f.Values {
			if !printable(value) {
				return false
			}
		}
		values += len(f.Values)
	}
	return len(fields) <= maxFields && values <= maxFields
}

func (f *Field) isLength(size int64) bool {
	switch f.Mode {
	case Set:
		return len(f.Values) == 1 && f.Values[0] == strconv.FormatInt(size, 10)
	case Remove:
		return len(f.Values) == 0
	default:
		return false
	}
}

// canonical reports whether name is the name of a field, spelled as net/http does.
func canonical(name string) bool {
	return policy.IsFieldName(name) && http.CanonicalHeaderKey(name) == name
}

// printable reports whether value can be the value of a field (RFC 9110, section
// 5.5).
func printable(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
