//go:build !386 && !s390x && !msan && race

package memcached

import (
	"runtime"
	"syscall"
	"unsafe"
)

// raceStart and raceEnd tell the race detector what package syscall does: that bytes
// are read and written, and that who has read from a descriptor comes after who had
// written to one. Without that, programs would be reported whose goroutines are in
// order by what they send each other. Only package syscall can say the latter: by a
// write that fails, and by a read of nothing.

func raceStart(trap uintptr, p []byte) {
	if trap == syscall.SYS_SENDTO {
		runtime.RaceReadRange(unsafe.Pointer(unsafe.SliceData(p)), len(p))
		_, _ = syscall.Write(-1, nil)
	}
}

func raceEnd(trap, fd uintptr, p []byte) {
	if trap == syscall.SYS_RECVFROM {
		if len(p) > 0 {
			runtime.RaceWriteRange(unsafe.Pointer(unsafe.SliceData(p)), len(p))
		}
		_, _ = syscall.Read(int(fd), nil)
	}
}
