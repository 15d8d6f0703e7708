package session

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"iter"
	"net/http"
	"net/textproto"
	"strings"
)

// token is what a cookie says: an ID and, when the session is bound, its
// user's tag, so that the user's roster can be read along with the record, and its
// handle there, so that a logout finds it without the record.
type token struct {
	id     id
	user   tag
	handle handle // with user
	idle   uint32 // the session's idle timeout in seconds; 0: the store's
}

// A cookie is, in base64,
//
//	1 | ID (32 bytes) | user tag and handle (32), if any | idle timeout (4), if it has its own | MAC (32)
//	2 | initialization vector (16) | the same, AES-CTR-encrypted | MAC (32)
//
// with an HMAC-SHA-256 of the cookie's name and everything before it for MAC.
// It carries no time: the server ends sessions.
const (
	cookieSigned    = 1
	cookieEncrypted = 2

	ivSize  = 16
	macSize = 32

	idleSize = 4

	maxCookieBytes = 1 + ivSize + len(id{}) + len(tag{}) + len(handle{}) + idleSize + macSize
)

// cookieText accepts one text for each cookie.
var cookieText = base64.RawURLEncoding.Strict()

// encodeCookie returns the value of the cookie of a name.
func (p *pair) encodeCookie(name string, t token) string {
	content := append(make([]byte, 0, maxCookieBytes), t.id[:]...)
	if t.user != (tag{}) {
		content = append(append(content, t.user[:]...), t.handle[:]...)
	}
	if t.idle != 0 {
		content = binary.BigEndian.AppendUint32(content, t.idle)
	}
	cookie := make([]byte, 0, maxCookieBytes)
	if p.block == nil {
		cookie = append(append(cookie, cookieSigned), content...)
	} else {
		cookie = append(cookie, cookieEncrypted)
		cookie = cookie[:1+ivSize+len(content)]
		iv := cookie[1 : 1+ivSize]
		_, _ = rand.Read(iv)
		cipher.NewCTR(p.block, iv).XORKeyStream(cookie[1+ivSize:], content)
	}
	mac := p.sign.derive(name, cookie)
	return cookieText.EncodeToString(append(cookie, mac[:]...))
}

// decodeCookie returns what the cookie of a name says, if this pair made it.
func (p *pair) decodeCookie(name, value string) (t token, ok bool) {
	var buf [maxCookieBytes]byte
	if len(value) > cookieText.EncodedLen(len(buf)) {
		return token{}, false
	}
	n, err := cookieText.Decode(buf[:], []byte(value))
	if err != nil || n <= macSize || cookieText.EncodedLen(n) != len(value) { // Decode skips line breaks
		return token{}, false
	}
	body, mac := buf[:n-macSize], buf[n-macSize:n]
	if want := p.sign.derive(name, body); subtle.ConstantTimeCompare(mac, want[:]) != 1 {
		return token{}, false
	}
	switch kind, content := body[0], body[1:]; {
	case kind == cookieSigned && p.block == nil:
		return asToken(content)
	case kind == cookieEncrypted && p.block != nil && len(content) > ivSize:
		return asToken(p.decrypt(content))
	default:
		return token{}, false
	}
}

// decrypt returns what stands, encrypted, behind an initialization vector.
func (p *pair) decrypt(hidden []byte) []byte {
	own := bytes.Clone(hidden)
	iv, content := own[:ivSize], own[ivSize:]
	cipher.NewCTR(p.block, iv).XORKeyStream(content, content)
	return content
}

func asToken(content []byte) (t token, ok bool) {
	if len(content) < len(t.id) {
		return token{}, false
	}
	content = content[copy(t.id[:], content):]
	if len(content) >= len(t.user)+len(t.handle) {
		content = content[copy(t.user[:], content):]
		content = content[copy(t.handle[:], content):]
	}
	if len(content) == idleSize {
		t.idle, content = binary.BigEndian.Uint32(content), nil
	}
	return t, len(content) == 0
}

// maxTokens bounds how many cookies of one name a request makes the store look
// up.
const maxTokens = 8

// tokens yields what the cookies of the session's name say, with the number of
// the key pair that made each, in the browser's order. Cookies that no key of
// the store made are none.
//
// A browser has several cookies of one name when their Path or Domain differ: an
// application has changed it, or a neighbour sets one. It sends the longer path
// first, then the older cookie, so that the first one may have ended long ago.
func (st *state) tokens(r *http.Request) iter.Seq2[token, int] {
	return func(yield func(token, int) bool) {
		left := maxTokens
		cookieValues(r.Header, st.name, func(value string) bool {
			for i := range st.pairs {
				if t, ok := st.pairs[i].decodeCookie(st.name, value); ok {
					left--
					return yield(t, i) && left > 0
				}
			}
			return true
		})
	}
}

// cookieValues calls f with the value of each cookie of a name until it returns
// false. It finds what http.Request.CookiesNamed finds, except values that no
// store makes, and allocates nothing.
func cookieValues(h http.Header, name string, f func(value string) bool) {
	for _, line := range h["Cookie"] {
		for more := true; more; {
			var one string
			one, line, more = strings.Cut(line, ";")
			n, value, _ := strings.Cut(textproto.TrimString(one), "=")
			if textproto.TrimString(n) != name {
				continue
			}
			if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
				value = value[1 : len(value)-1]
			}
			if !f(value) {
				return
			}
		}
	}
}
