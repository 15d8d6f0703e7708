package stored

import (
	"reflect"
	"testing"
	"time"
)

func FuzzDecodeIndex(f *testing.F) {
	f.Add((&Index{ID: 1, Base: 2, Fields: []string{"Accept", "Foo"}, Soft: []SoftPurge{{1, time.UnixMilli(3)}}}).Encode("key")[headerSize:])
	f.Add(append([]byte{3, 'k', 'e', 'y'}, make([]byte, 10)...))
	f.Add([]byte{3, 'k', 'e', 'y', 255})
	f.Fuzz(func(t *testing.T, rest []byte) {
		ix, err := Value{KindIndex, 1, rest}.Index("key")
		if err != nil {
			return
		}
		v, err := Open(ix.Encode("key"))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := v.Index("key"); err != nil || !reflect.DeepEqual(again, ix) {
			t.Errorf("%+v encodes to %+v, %v", ix, again, err)
		}
	})
}

func TestIndex_OfAnotherKeyIsGarbage(t *testing.T) {
	v, err := Open((&Index{ID: 1, Fields: []string{"A"}}).Encode("one"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Index("two"); err == nil {
		t.Error("an index that was stored for one key is accepted for another")
	}
}

func TestIndex_HasFieldsInAnySpelling(t *testing.T) {
	ix := &Index{ID: 1, Fields: []string{"X-Forwarded-Host"}}
	if !ix.Has("x-forwarded-host") || ix.Has("Accept") || (*Index)(nil).Has("Accept") {
		t.Errorf("Has of %+v is wrong about x-forwarded-host, Accept or a nil index", ix)
	}
}
