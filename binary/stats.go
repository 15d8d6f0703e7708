package memcached

// Stats is what a client has done since it was made, and what it holds now.
// The numbers are taken one after another, not at one instant.
type Stats struct {
	// Gets counts keys that were asked for; Hits and Misses the answers.
	// They differ by what failed.
	Gets, Hits, Misses uint64
	// Ops counts operations on servers, Errors those that ended in a fault:
	// misses, conflicts and the like are answers and do not count.
	Ops, Errors uint64
	// Timeouts counts operations that ended because time ran out,
	// Cancellations those whose context was cancelled.
	Timeouts, Cancellations uint64
	// Retries counts operations that were sent a second time.
	Retries uint64
	// Servers holds the numbers of each server, by address as given to New.
	Servers map[string]ServerStats
}

// ServerStats are the numbers of one server within Stats.
type ServerStats struct {
	// Conns is how many connections are open now.
	Conns int
	// InFlight is how many operations are under way now.
	InFlight int
	// Dials counts connections opened, DialErrors those that failed at
	// dialling, TLS or authentication.
	Dials, DialErrors uint64
	// Ops counts operations, Errors those that ended in a fault.
	Ops, Errors uint64
	// Down says that the server failed and rests until it is tried again.
	Down bool
	// Ejected says that the distribution leaves the server out.
	Ejected bool
}
