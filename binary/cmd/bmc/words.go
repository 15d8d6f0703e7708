package main

import "strings"

// The client's errors tell programmers which option to set. Who runs bmc has
// flags.
var words = strings.NewReplacer(
	"leave Options.Auth nil, which connects without credentials", "leave out --username, which connects without credentials",
	"leave memcached.Options.Auth nil", "leave out --username",
	"set Options.Auth", "give --username and a password",
	"set Options.TLS", "give --tls",
	"choose sasl.Plain explicitly", "give --mechanism plain",
	"memcached.Options.", "Options.",
	"Options.MaxItemSize", "--max-item-size",
	"within Options.Timeout", "within --timeout",
	"within Options.DialTimeout", "in time",
	" (SafeKey makes one from any string)", "",
	"ParseServers reads a list of them in one string", "separate several by commas",
	"user name and password belong into Options.Auth; ParseURL reads them from a memcached:// URL", "give --username, and the password in MEMCACHED_PASSWORD or --password-file",
	"; ParseURL reads a memcached:// URL", "",
	"weights belong into Options.Weights; ParseServers reads host:port:weight", "give --weight for it",
)

// inWords says an error of the client in terms of this program.
func inWords(text string) string { return words.Replace(text) }
