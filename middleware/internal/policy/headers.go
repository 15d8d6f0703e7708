package policy

import "net/http"

// hopByHop are the fields that concern one connection (RFC 9111, section 3.1).
var hopByHop = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Authenticate": true,
	"Proxy-Authentication-Info": true, "Proxy-Authorization": true,
	"Proxy-Connection": true, "Te": true, "Transfer-Encoding": true, "Upgrade": true,
}

// IsHopByHop reports whether a field, by its canonical name, concerns one connection.
func IsHopByHop(field string) bool { return hopByHop[field] }

// HidesFields reports whether the Connection field of a request names a field of it
// that is not the connection's by itself. A proxy among the handlers removes such a
// field, and middleware before it may have acted on it: no key is right for both.
func HidesFields(h http.Header) bool {
	for _, line := range h["Connection"] {
		for field := range elements(line) {
			field = http.CanonicalHeaderKey(field)
			if _, ok := h[field]; ok && !hopByHop[field] && field != "Http2-Settings" {
				return true
			}
		}
	}
	return false
}

// Unstorable returns which fields of a response must not be stored: those of the
// connection and the ones it lists, Age, which is computed anew, and omit.
func Unstorable(h http.Header, omit []string) func(field string) bool {
	var listed []string
	for _, line := range h["Connection"] {
		for field := range elements(line) {
			listed = append(listed, http.CanonicalHeaderKey(field))
		}
	}
	listed = append(listed, omit...)
	return func(field string) bool {
		if hopByHop[field] || field == "Age" {
			return true
		}
		for _, l := range listed {
			if l == field {
				return true
			}
		}
		return false
	}
}

// IsRepresentation reports whether a field describes the body, so that it is
// left out of a 304 (RFC 9110, section 15.4.5).
func IsRepresentation(field string) bool {
	switch field {
	case "Content-Length", "Content-Type", "Content-Encoding", "Content-Language", "Content-Range":
		return true
	}
	return false
}

// KeptOnUpdate reports whether a stored field outlives an update by a 304 that
// has it too: it describes the bytes of the stored body, which stay (RFC 9111,
// section 3.2).
func KeptOnUpdate(field string) bool {
	switch field {
	case "Content-Length", "Content-Encoding", "Content-Range", "Content-Md5", "Transfer-Encoding":
		return true
	}
	return false
}
