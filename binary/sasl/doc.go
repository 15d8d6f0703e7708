// Package sasl authenticates to memcached with SASL (RFC 4422): PLAIN,
// SCRAM-SHA-512, SCRAM-SHA-256, SCRAM-SHA-1 and CRAM-MD5.
//
// A client needs one [Mechanism], in memcached.Options.Auth. [Auto] is the one to
// begin with: it takes the strongest mechanism that the server lists, and sends
// a password in the clear only where nobody can listen.
//
//	Auth: sasl.Auto(os.Getenv("MEMCACHED_USERNAME"), os.Getenv("MEMCACHED_PASSWORD"))
//
// [AutoFunc] asks for credentials at every connect, for passwords that rotate.
// The named mechanisms fix one, each with a Func form. Identities other than the
// user's own (authzid) go into [Credentials].
//
//	mechanism      on the wire          the server proves itself   identity
//	SCRAM-SHA-512  a salted proof       yes                        yes
//	SCRAM-SHA-256  a salted proof       yes                        yes
//	SCRAM-SHA-1    a salted proof       yes                        yes
//	CRAM-MD5       a keyed MD5          no                         no
//	PLAIN          the password         no                         yes
//
// None of them protects the connection after authentication: only TLS does. On
// an unprotected network whoever can change traffic can also shorten the
// server's list, down to CRAM-MD5 for Auto; ScramSHA256 refuses that.
//
// # What memcached does
//
// memcached leaves SASL to Cyrus SASL, which says where its passwords are and
// which mechanisms it lists. SCRAM and CRAM-MD5 need the passwords themselves
// (sasldb, auxprop). A server that asks saslauthd or PAM can only check PLAIN,
// but may list the others all the same: Auto does not try a weaker mechanism
// when one was refused, so name sasl.Plain for such a server, or set mech_list
// in its memcached.conf.
//
// User names and passwords are sent as they are, in UTF-8. The RFCs ask for
// SASLprep, which Cyrus does not do: it compares bytes, so that normalising here
// would lock out passwords that it stored as they were typed. For ASCII there is
// no difference. Control characters, which SASLprep forbids, are refused; they
// nearly always are the line end of a file the password was read from.
//
// # Implementing a mechanism
//
// A [Mechanism] is shared by all connections of a client; its Start begins one
// [Session]. The client sends the mechanism's name (see [NameOf]) with the
// initial message, passes each challenge (status 0x21) to Next and sends back
// what it returns, and asks Done once the server reports success.
package sasl
