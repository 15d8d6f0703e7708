package session

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"
)

// record is what memcached holds of a session, once it is opened:
//
//	created, end of the cookie, until (Unix milliseconds, varints) | MaxAge (varint) | user, with its length before it |
//	handle (16 bytes) | ID that it was renewed from (32 bytes) or none, with its length before it | then each value: key and value, each with its length before it
type record struct {
	created   time.Time // starts the absolute timeout; kept through renewals
	cookieEnd time.Time // when the browser drops the cookie; zero: when it closes
	until     time.Time // the end that Remember set; zero: none
	maxAge    int64     // of the cookie, in seconds; 0: the browser drops it when it closes
	user      string    // the one that Bind named; empty: not bound
	handle    handle    // in the user's roster, under the key that the record is sealed under
	from      id        // that it was renewed from, if that was nobody's; zero: none
	values    values    // by key; nil until parse in a record that was read
	encoded   string    // the values as they were read
}

func (r *record) encode() []byte {
	size := 5*binary.MaxVarintLen64 + len(r.user) + len(r.handle) + 1 + len(r.from)
	for k, v := range r.values {
		size += len(k) + len(v) + 2*binary.MaxVarintLen32
	}
	out := make([]byte, 0, size)
	out = binary.AppendVarint(out, milli(r.created))
	out = binary.AppendVarint(out, milli(r.cookieEnd))
	out = binary.AppendVarint(out, milli(r.until))
	out = binary.AppendVarint(out, r.maxAge)
	out = appendText(out, r.user)
	out = append(out, r.handle[:]...)
	if r.from == (id{}) {
		out = appendText(out, "")
	} else {
		out = appendText(out, string(r.from[:]))
	}
	for _, k := range slices.Sorted(maps.Keys(r.values)) {
		out = appendText(out, k)
		out = appendText(out, r.values[k])
	}
	return out
}

// decodeRecord is the reverse of encode, except that it leaves the values as
// they are: see each and parse.
func decodeRecord(data string) (record, error) {
	created, data, err := cutTime(data)
	if err != nil {
		return record{}, err
	}
	cookieEnd, data, err := cutTime(data)
	if err != nil {
		return record{}, err
	}
	until, data, err := cutTime(data)
	if err != nil {
		return record{}, err
	}
	age, size := binary.Varint([]byte(data[:min(len(data), binary.MaxVarintLen64)]))
	if size <= 0 || age < 0 || age > maxAge {
		return record{}, undecodable("a malformed MaxAge")
	}
	user, data, err := cutText(data[size:])
	if err != nil {
		return record{}, err
	}
	r := record{created: created, cookieEnd: cookieEnd, until: until, maxAge: age, user: user}
	if len(data) < len(r.handle) {
		return record{}, undecodable("cut short")
	}
	from, data, err := cutText(data[copy(r.handle[:], data):])
	if err != nil {
		return record{}, err
	}
	if len(from) != copy(r.from[:], from) || len(from) != 0 && len(from) != len(r.from) {
		return record{}, undecodable("a malformed ID")
	}
	r.encoded = data
	return r, nil
}

// each calls f with what was read, value by value.
func (r *record) each(f func(k, v string) error) error {
	for data := r.encoded; len(data) > 0; {
		k, rest, err := cutText(data)
		if err != nil {
			return err
		}
		v, rest, err := cutText(rest)
		if err != nil {
			return err
		}
		if err := f(k, v); err != nil {
			return err
		}
		data = rest
	}
	return nil
}

// parse makes sure that values are there.
func (r *record) parse() error {
	if r.values != nil {
		return nil
	}
	parsed := values{}
	err := r.each(func(k, v string) error {
		parsed[k] = v
		return nil
	})
	if err != nil {
		return err
	}
	r.values = parsed
	return nil
}

// milli is t in Unix milliseconds, 0 for the zero time.
func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// maxMilli is the year 9999: times beyond it are not ours.
const maxMilli = 253402300799999

func cutTime(data string) (time.Time, string, error) {
	n, size := binary.Varint([]byte(data[:min(len(data), binary.MaxVarintLen64)]))
	if size <= 0 || n < 0 || n > maxMilli {
		return time.Time{}, "", undecodable("a malformed time")
	}
	if n == 0 {
		return time.Time{}, data[size:], nil
	}
	return time.UnixMilli(n), data[size:], nil
}

// now is the time as records keep it, in milliseconds.
func now() time.Time { return time.Now().Truncate(time.Millisecond).Round(0) }
