package main

import (
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// settings are the flags that every command has.
type settings struct {
	servers      string
	username     string
	passwordFile string
	mechanism    string

	tls        bool
	tlsGiven   bool // by its flag, which may also turn it off
	ca         string
	cert, key  string
	serverName string
	insecure   bool

	timeout      time.Duration
	distribution string
	weights      map[string]int
	maxItemSize  int

	json          bool
	passwordGiven bool // on the command line: refused
}

const defaultTimeout = 5 * time.Second

// register adds the settings to flags. What was parsed before stays.
func (s *settings) register(flags *flag.FlagSet) {
	if s.timeout == 0 {
		s.timeout = defaultTimeout
	}
	flags.StringVar(&s.servers, "servers", s.servers, "`LIST` of servers, separated by commas: host, host:port or the path of a socket (else MEMCACHED_SERVERS)")
	flags.StringVar(&s.username, "username", s.username, "SASL user `NAME` (else MEMCACHED_USERNAME)")
	flags.StringVar(&s.passwordFile, "password-file", s.passwordFile, "`FILE` with the password (else MEMCACHED_PASSWORD, else the terminal is asked)")
	flags.Func("password", "", func(string) error { s.passwordGiven = true; return nil })
	flags.StringVar(&s.mechanism, "mechanism", s.mechanism, "`NAME` of the SASL mechanism: auto, plain, scram-sha-512, scram-sha-256, scram-sha-1 or cram-md5 (default auto)")
	flags.BoolFunc("tls", "use TLS; --tls=false does not (else MEMCACHED_TLS: on, off or a file like that of --ca)", func(text string) (err error) {
		s.tlsGiven = true
		s.tls, err = strconv.ParseBool(text)
		return err
	})
	flags.StringVar(&s.ca, "ca", s.ca, "`FILE` with the certificates to trust, in PEM, instead of the system's; turns TLS on")
	flags.StringVar(&s.cert, "cert", s.cert, "`FILE` with a client certificate, in PEM; turns TLS on")
	flags.StringVar(&s.key, "key", s.key, "`FILE` with its private key, in PEM (default: in that of --cert)")
	flags.StringVar(&s.serverName, "server-name", s.serverName, "`NAME` that the servers' certificates have to be for (default: the server's host); turns TLS on")
	flags.BoolVar(&s.insecure, "insecure", s.insecure, "believe any certificate: whoever is in between can read and change everything, the password included; turns TLS on")
	flags.DurationVar(&s.timeout, "timeout", s.timeout, "`DURATION` after which an operation is given up, connecting included (default "+defaultTimeout.String()+")")
	flags.StringVar(&s.distribution, "distribution", s.distribution, "`NAME` of the way keys are spread over servers: "+strings.Join(distributionNames(), ", ")+" (default ketama)")
	flags.Func("weight", "`SERVER=N`: that server takes N shares of the keys; may be repeated", s.addWeight)
	flags.Func("max-item-size", "`SIZE`, such as 2m, above which values are refused before they are sent (default: what fits 1m, memcached's own limit)", func(text string) (err error) {
		s.maxItemSize, err = parseSize(text)
		return err
	})
	flags.BoolVar(&s.json, "json", s.json, "print one JSON object; values that are not UTF-8 are in base64 and say so, such keys have a second member, key_base64")
}

func (s *settings) addWeight(text string) error {
	at := strings.LastIndexByte(text, '=')
	n, err := strconv.Atoi(text[at+1:])
	if at <= 0 || err != nil {
		return fmt.Errorf("want SERVER=N")
	}
	if s.weights == nil {
		s.weights = map[string]int{}
	}
	s.weights[text[:at]] = n
	return nil
}

// newFlagSet returns a set that leaves printing to the caller.
func newFlagSet() *flag.FlagSet {
	flags := flag.NewFlagSet("bmc", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	return flags
}

// parse reads flags wherever they stand among the arguments, which it returns.
// Behind "--" everything is an argument.
func parse(flags *flag.FlagSet, args []string) (arguments []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		rest := flags.Args()
		if len(rest) == 0 {
			return arguments, nil
		}
		if read := len(args) - len(rest); read > 0 && args[read-1] == "--" {
			return append(arguments, rest...), nil
		}
		arguments = append(arguments, rest[0])
		args = rest[1:]
	}
}

// flagError is what the user reads about a flag that is wrong. A flag that may
// have a password in it (-pSECRET, as other programs take it) is not repeated.
func flagError(err error) error {
	const unknown = "flag provided but not defined: -"
	name, ok := strings.CutPrefix(err.Error(), unknown)
	switch {
	case !ok:
		return usagef("%w", err)
	case strings.HasPrefix(name, "p"):
		return usagef("unknown flag that begins with -p: bmc --help lists the flags; no password is taken from the command line")
	default:
		return usagef("unknown flag --%s (in front of arguments that begin with a dash write --)", name)
	}
}
