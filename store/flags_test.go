package store

import (
	"testing"
	"time"
)

func TestFlags_JoinAndSplitAgree(t *testing.T) {
	now := time.Now()
	forms := []form{
		{class: classNative, kind: kindBytes},
		{class: classNative, kind: kindFloat64},
		{class: classNative, kind: kindEnvelope},
		{class: classCodec, flags: 0},
		{class: classCodec, flags: lowMask},
		{class: classTyped, kind: kindString, flags: 0},
		{class: classTyped, kind: kindFloat64, flags: lowMask},
	}
	for _, want := range forms {
		for _, ttl := range []time.Duration{0, time.Minute} {
			got, left, ok := split(want.join(now, ttl), now)
			if got != want || ok != (ttl != 0) || left > ttl || left < ttl-time.Second {
				t.Errorf("split(join(%+v, %v)) = %+v, %v, %v", want, ttl, got, left, ok)
			}
			if stamped(want.join(now, ttl)) != ok {
				t.Errorf("stamped(join(%+v, %v)) = %v", want, ttl, !ok)
			}
			if !want.fits() {
				t.Errorf("%+v does not fit", want)
			}
		}
	}
}

// Other clients keep their flags in the low bits: what they see there must not
// change their idea of plain bytes, and must be a codec's own flags.
func TestFlags_LowBitsAreForOtherClients(t *testing.T) {
	now := time.Now()
	for _, ttl := range []time.Duration{0, time.Second, time.Hour, year} {
		if low := (form{class: classNative}).join(now, ttl) & lowMask; low != 0 {
			t.Errorf("low flags of bytes = %#x, want 0", low)
		}
		for _, c := range []class{classCodec, classTyped} {
			if low := (form{class: c, kind: kindString, flags: 18}).join(now, ttl) & lowMask; low != 18 {
				t.Errorf("low flags of a codec's value = %#x, want the codec's 18", low)
			}
		}
	}
}

func TestFlags_ForeignStayWhole(t *testing.T) {
	for _, flags := range []uint32{0, 1, 16, 0xff00, 1 << 29} {
		f, _, ok := split(flags, time.Now())
		if f.class != classForeign || f.flags != flags || ok {
			t.Errorf("split(%#x) = %+v, deadline %v, want foreign without", flags, f, ok)
		}
		if f.fits() {
			t.Errorf("%#x fits, want foreign flags to stay out of our layout", flags)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add(uint32(0), int64(0))
	f.Add(uint32(1<<31), int64(1<<60))
	f.Add(uint32(1<<32-1), int64(-1))
	f.Fuzz(func(t *testing.T, flags uint32, at int64) {
		form, left, ok := split(flags, time.Unix(0, at))
		if ok != stamped(flags) {
			t.Errorf("stamped(%#x) = %v, and split finds %v", flags, !ok, ok)
		}
		if !ok && left != 0 {
			t.Errorf("split(%#x) = %v left without a deadline", flags, left)
		}
		if form.kind > lowMask || form.class != classForeign && form.flags > lowMask {
			t.Errorf("split(%#x) = %+v, out of range", flags, form)
		}
	})
}
