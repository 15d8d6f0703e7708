package session

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// The sessions of a user stand in a roster in memcached, under a key made of the
// user's tag and sealed. A session is good only while its handle is in the roster,
// which loading reads along with the record: taking it out ends the session
// wherever it is, deleting the roster ends all, and losing it does, too. The roster
// holds no ID, so that it leads nobody to a session, with the server's keys
// neither.

// handle stands for one session of a user: random bytes. All zero: none.
type handle [16]byte

func newHandle() (h handle) {
	_, _ = rand.Read(h[:])
	return h
}

func (h handle) String() string { return base64.RawURLEncoding.EncodeToString(h[:]) }

// parseHandle is the reverse of String. What is none is all zero.
func parseHandle(text string) (h handle) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) != len(h) {
		return handle{}
	}
	return handle(raw)
}

// place is a session in its user's roster. Times are in seconds.
type place struct {
	handle  handle
	created time.Time
	used    time.Time // when it was loaded last, as exactly as usedEvery says
	end     time.Time // of the absolute timeout
	idle    time.Duration
	label   string
}

// usedEvery is how often loading a session writes down that it is used.
func (e *place) usedEvery() time.Duration { return min(e.idle/4, 5*time.Minute) }

// over reports whether the session ended by a timeout, as far as the roster tells.
func (e *place) over(t time.Time) bool {
	return !t.Before(e.end) || t.Sub(e.used) > e.idle+e.usedEvery()+time.Second
}

// forgotten reports whether the session may be dropped from the roster: to be sure
// of it, not before twice the idle timeout.
func (e *place) forgotten(t time.Time) bool {
	return !t.Before(e.end.Add(time.Minute)) || t.Sub(e.used) > 2*e.idle+time.Minute
}

// endsAs reports whether two have the same timeouts.
func (e *place) endsAs(other *place) bool {
	return e.idle == other.idle && e.end.Unix() == other.end.Unix()
}

type roster []place

func (l roster) find(h handle) *place {
	if i := slices.IndexFunc(l, func(e place) bool { return e.handle == h }); i >= 0 && h != (handle{}) {
		return &l[i]
	}
	return nil
}

// with returns the roster with a session in it, without those that are forgotten,
// nor, beyond most, those that were used longest ago: they end.
func (l roster) with(e place, most int) roster {
	next := slices.DeleteFunc(slices.Clone(l), func(old place) bool { return old.handle == e.handle || old.forgotten(e.used) })
	slices.SortStableFunc(next, func(a, b place) int { return b.used.Compare(a.used) })
	return append(next[:min(len(next), most-1)], e)
}

// without returns the roster without a session.
func (l roster) without(h handle) roster {
	return slices.DeleteFunc(slices.Clone(l), func(e place) bool { return e.handle == h })
}

// encode lists, for each session,
//
//	handle (16 bytes) | created, used, end (Unix seconds, varints) | idle timeout (seconds, varint) |
//	label, with its length before it
func (l roster) encode() []byte {
	var out []byte
	for i := range l {
		e := &l[i]
		out = append(out, e.handle[:]...)
		for _, n := range []int64{e.created.Unix(), e.used.Unix(), e.end.Unix(), int64(e.idle / time.Second)} {
			out = binary.AppendVarint(out, n)
		}
		out = appendText(out, e.label)
	}
	return out
}

func decodeRoster(data string) (l roster, err error) {
	for len(data) > 0 {
		var e place
		if len(data) < len(e.handle) {
			return nil, undecodable("cut short")
		}
		data = data[copy(e.handle[:], data):]
		var numbers [4]int64
		for i := range numbers {
			n, size := binary.Varint([]byte(data[:min(len(data), binary.MaxVarintLen64)]))
			if size <= 0 || n < 0 || n > maxMilli/1000 {
				return nil, undecodable("a malformed time")
			}
			numbers[i], data = n, data[size:]
		}
		e.created, e.used, e.end = time.Unix(numbers[0], 0), time.Unix(numbers[1], 0), time.Unix(numbers[2], 0)
		e.idle = time.Duration(min(numbers[3], maxAge)) * time.Second
		if e.label, data, err = cutText(data); err != nil {
			return nil, err
		}
		l = append(l, e)
	}
	return l, nil
}

// maxLabel is how many bytes of a label are kept.
const maxLabel = 120

// asLabel cuts a label, between two characters.
func asLabel(label string) string {
	label = strings.ToValidUTF8(label, "\ufffd")
	if len(label) <= maxLabel {
		return label
	}
	end := maxLabel
	for !utf8.RuneStart(label[end]) {
		end--
	}
	return label[:end]
}
