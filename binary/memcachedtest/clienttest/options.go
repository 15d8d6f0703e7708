package clienttest

// Options say how the servers are set up, where that makes a difference to
// clients. The zero value of each field is its default.
type Options struct {
	// MaxItemSize is the servers' largest item in bytes (memcached's -I),
	// 512 KiB or more. 0: 1 MiB.
	MaxItemSize int

	// MaxMemory is the memory of each server in bytes (memcached's -m).
	// 0: 64 MiB.
	MaxMemory int

	// DisableCAS says that the servers keep no versions (memcached's -C).
	// false: they do.
	DisableCAS bool

	// DisableFlush says that the servers refuse to flush (memcached's -F).
	// false: they do not.
	DisableFlush bool

	// DisableStats says that the servers do not know memcached's statistics,
	// and leaves out the tests of ServerStats. false: they do.
	DisableStats bool

	// Except names tests that the servers do not pass, as in
	// "append/adding nothing changes nothing", and the reason of each. They are
	// skipped; a name that no test has fails the run. nil: every test runs.
	Except map[string]string

	// Advance lets some time pass for the servers. It is called while a test
	// waits for their clock. nil: the test waits in real time.
	Advance func()
}

const (
	defaultMaxItemSize = 1 << 20
	defaultMaxMemory   = 64 << 20
)

// withDefaults returns a copy with defaults filled in.
func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.MaxItemSize == 0 {
		c.MaxItemSize = defaultMaxItemSize
	}
	if c.MaxMemory == 0 {
		c.MaxMemory = defaultMaxMemory
	}
	return c
}
