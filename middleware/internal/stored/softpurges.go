package stored

import (
	"encoding/binary"
	"slices"
	"time"
)

// MaxSoftPurges bounds the soft purges that are remembered of a tag or a page. What is
// older than all of them is stale since it was received.
const MaxSoftPurges = 16

// SoftPurge is one that makes responses stale: those made before it, in whose place it
// put something of another ID.
type SoftPurge struct {
	ID   uint64
	When time.Time
}

const softSize = 8 + 8

// addSoft returns list with another soft purge, without changing it.
func addSoft(list []SoftPurge, p SoftPurge) []SoftPurge {
	list = append(slices.Clone(list), p)
	return list[max(0, len(list)-MaxSoftPurges):]
}

func appendSoft(b []byte, list []SoftPurge) []byte {
	for _, p := range list {
		b = binary.BigEndian.AppendUint64(b, p.ID)
		b = binary.BigEndian.AppendUint64(b, uint64(p.When.UnixMilli()))
	}
	return b
}

// soft reads n soft purges.
func (d *decoder) soft(n int) []SoftPurge {
	if n <= 0 || n > MaxSoftPurges || len(d.rest) < n*softSize {
		return nil
	}
	list := make([]SoftPurge, n)
	for i := range list {
		list[i] = SoftPurge{d.uint64(), time.UnixMilli(int64(d.uint64()))}
	}
	return list
}
